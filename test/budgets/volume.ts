/** What each volume operation asks of a store, exactly (docs/cost.md): with guarded puts and without, and B blocks in place. */
import type { Store, Volume, VolumeOptions } from '../../src/index.ts';
import { memoryStore, openVolume } from '../../src/index.ts';
import { limitedStore, traceStore, virtualEnv } from '../../src/testing/index.ts';
import type { TracedStore, VirtualEnv } from '../../src/testing/index.ts';

/** Blocks staged, and read, at once. */
const several = 8;
const blockBytes = 4096;

interface Asked {
  readonly requests: number;
  readonly depth: number;
  readonly parallel: number;
}

interface Bench {
  readonly traced: TracedStore;
  /** On the traced store. */
  readonly open: () => Promise<Volume>;
  readonly head: string;
  /** The first byte that nobody has staged. */
  readonly free: number;
}

interface Row {
  readonly name: string;
  /** What is not counted, and then what is. */
  run(bench: Bench): Promise<() => Promise<unknown>>;
  readonly budget: Asked;
}

const block = new Uint8Array(blockBytes);
const stageSeveral = (
  volume: Volume,
  from: number,
): Promise<Awaited<ReturnType<Volume['stageWriteAt']>>[]> =>
  Promise.all(
    Array.from({ length: several }, (_, i) => volume.stageWriteAt(from + i * blockBytes, block)),
  );

const rows: readonly Row[] = [
  {
    name: 'open',
    run: async ({ open }) => open,
    budget: { requests: 1, depth: 1, parallel: 1 },
  },
  {
    name: `stage ${several} blocks`,
    async run({ open, free }) {
      const volume = await open();
      return () => stageSeveral(volume, free);
    },
    budget: { requests: several, depth: 1, parallel: several },
  },
  {
    name: 'stage a block that is there',
    async run({ open, free }) {
      const volume = await open();
      await volume.stageWriteAt(free, block);
      return () => volume.stageWriteAt(free, block);
    },
    budget: { requests: 3, depth: 3, parallel: 1 },
  },
  {
    name: 'commit, warm',
    async run({ open, free }) {
      const volume = await open();
      await volume.latest();
      const staged = await stageSeveral(volume, free);
      return () => volume.commit(staged);
    },
    budget: { requests: 2, depth: 2, parallel: 1 },
  },
  {
    name: 'commit of blocks that another process staged',
    async run({ open, free }) {
      const staged = await stageSeveral(await open(), free);
      const volume = await open();
      await volume.latest();
      return () => volume.commit(staged);
    },
    budget: { requests: 2 + several, depth: 3, parallel: several },
  },
  {
    name: 'latest, cold',
    async run({ open }) {
      const volume = await open();
      return () => volume.latest();
    },
    budget: { requests: 2, depth: 2, parallel: 1 },
  },
  {
    name: 'latest, warm',
    async run({ open }) {
      const volume = await open();
      await volume.latest();
      return () => volume.latest();
    },
    budget: { requests: 1, depth: 1, parallel: 1 },
  },
  {
    name: `readAt over ${several} blocks, snapshot at hand`,
    async run({ open, head }) {
      const volume = await open();
      const v = await volume.snapshot(head);
      return () => volume.readAt(v, 0, several * blockBytes);
    },
    budget: { requests: several, depth: 1, parallel: several },
  },
  {
    name: 'readAt of a part of a block by snapshot id, cold',
    async run({ open, head }) {
      const volume = await open();
      return () => volume.readAt(head, 10, 100);
    },
    budget: { requests: 2, depth: 2, parallel: 1 },
  },
  {
    name: 'readAt of what is missing, snapshot at hand',
    async run({ open, head, free }) {
      const volume = await open();
      const v = await volume.snapshot(head);
      return () => volume.readAt(v, free - 10, 20).catch(() => {});
    },
    budget: { requests: 0, depth: 0, parallel: 0 },
  },
];

async function benchOf(store: Store, env: VirtualEnv, blocks: number): Promise<Bench> {
  const length = (blocks + several + 1) * blockBytes;
  const options: VolumeOptions = { store, env, length, blockBytes };
  const volume = await openVolume('disk', options);
  const staged = await volume.stageWriteAt(0, new Uint8Array(blocks * blockBytes));
  const { id } = await volume.commit([staged]);
  const traced = traceStore(store, { latencyMs: 1, env });
  const open = (): Promise<Volume> => openVolume('disk', { ...options, store: traced.store });
  return { traced, open, head: id, free: blocks * blockBytes };
}

export async function* volumeBudgets(blocks: number): AsyncGenerator<{
  readonly place: string;
  readonly name: string;
  readonly asked: Asked;
  readonly budget: Asked;
}> {
  for (const guardedPut of [true, false]) {
    for (const row of rows) {
      const env = virtualEnv();
      const memory = memoryStore({ env });
      const store = guardedPut ? memory : limitedStore(memory, { name: 'bucket', guardedPut });
      const bench = await benchOf(store, env, blocks);
      const work = await row.run(bench);
      bench.traced.reset();
      await work();
      const { requests, depth, parallel } = bench.traced.trace();
      const { name, budget } = row;
      const place = guardedPut ? 'guarded put' : 'compare-and-swap';
      yield { place, name, asked: { requests: requests.length, depth, parallel }, budget };
    }
  }
}
