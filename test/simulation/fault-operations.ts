/** Every public operation of a dataset, each in the situations that take another way through the commit protocol. */
import assert from 'node:assert/strict';
import { memoryStore } from '../../src/index.ts';
import type {
  CommittedSnapshot,
  CommittedVolumeSnapshot,
  Dataset,
  Volume,
} from '../../src/index.ts';
import { limitedStore } from '../../src/testing/index.ts';
import { bytesOf, rowsOf } from './fault-lab.ts';
import type { FaultLab, Row, Rows, VolumeForm } from './fault-lab.ts';
import type { Store } from '../../src/index.ts';

/** Names of the snapshots there are before. */
export const base = ['first', 'second'] as const;

/** The name of the snapshot that the operation under test commits. */
export const ours = 'ours';

export interface Act {
  /** The operation under test. Throws an `AssertionError` when it answers what is not so. */
  readonly run: (
    signal: AbortSignal,
  ) => Promise<CommittedSnapshot | CommittedVolumeSnapshot | void>;
  /** Names of the snapshots before it, oldest first. */
  readonly before: readonly string[];
  /** The handle it ran on, which has to go on working. */
  readonly handle?: Rows;
  /** The same for an operation on a volume. */
  readonly volume?: Volume;
  /** Where the history under test is, when not in the storage of the lab. */
  readonly target?: Store;
}

export interface FaultOperation {
  readonly name: string;
  /** `reads`: changes nothing. `writes`: commits `ours`. `mends`: changes no snapshot. `copies`: fills `target`. */
  readonly does: 'reads' | 'writes' | 'mends' | 'copies';
  readonly hive?: boolean;
  readonly blobs?: boolean;
  /** On a volume, with such manifests. */
  readonly volume?: VolumeForm;
  /** Nothing can keep its pointer put, should it arrive late, from replacing what came after: the storage cannot compare. */
  readonly compares?: false;
  /** It has to believe a store that denies an object it has: nothing else tells what there is. */
  readonly believes?: boolean;
  readonly prepare: (lab: FaultLab) => Promise<Act>;
}

export function writing(
  name: string,
  hive: boolean,
  prepare: (lab: FaultLab) => Promise<Act>,
  believes = false,
): FaultOperation {
  return { name, does: 'writes', hive, believes, prepare };
}

export const write =
  (handle: Rows, more: object = {}): Act['run'] =>
  (signal) =>
    handle.write(rowsOf(ours), { name: ours }, { signal, ...more });

const writes: FaultOperation[] = [false, true].flatMap((hive) => {
  const kind = hive ? 'hive' : 'plain';
  return [
    writing(`write ${kind}, first of all`, hive, async (lab) => {
      const handle = await lab.open();
      return { run: write(handle), before: [], handle };
    }),
    writing(`open and write ${kind}`, hive, async (lab) => {
      await lab.commit(...base);
      const run: Act['run'] = async (signal) =>
        write(await lab.open(lab.broken, { signal }))(signal);
      return { run, before: base };
    }),
    writing(`write ${kind}, head known`, hive, async (lab) => {
      await lab.commit(...base);
      const handle = await lab.open();
      await handle.latest();
      return { run: write(handle), before: base, handle };
    }),
    writing(
      `write ${kind} again after a lost race`,
      hive,
      async (lab) => {
        await lab.commit(...base);
        const handle = await lab.open(lab.broken, { retry: { attempts: 4 } });
        await handle.latest();
        await lab.commit('rival');
        return { run: write(handle), before: [...base, 'rival'], handle };
      },
      true,
    ),
    writing(`stream records ${kind}`, hive, async (lab) => {
      await lab.commit(...base);
      const handle = await lab.open();
      await handle.latest();
      const run: Act['run'] = (signal) =>
        handle.streamWriteRecords(rowsOf(ours), { name: ours }, { signal, openFilesMax: 1 });
      return { run, before: base, handle };
    }),
  ];
});

writes.push(
  writing('write, lost race', false, async (lab) => {
    await lab.commit(...base);
    const handle = await lab.open();
    await handle.latest();
    await lab.commit('rival');
    return { run: write(handle), before: [...base, 'rival'], handle };
  }),
  writing('write with the parent expected', false, async (lab) => {
    const [, expectedParent] = await lab.commit(...base);
    const handle = await lab.open();
    return { run: write(handle, { expectedParent }), before: base, handle };
  }),
  writing('write with another parent expected', false, async (lab) => {
    const [expectedParent] = await lab.commit(...base);
    const handle = await lab.open();
    return { run: write(handle, { expectedParent }), before: base, handle };
  }),
  writing('write with no parent expected', false, async (lab) => {
    const handle = await lab.open(lab.broken, { retry: { attempts: 2 } });
    return { run: write(handle, { expectedParent: null }), before: [], handle };
  }),
  writing('write with no records', false, async (lab) => {
    await lab.commit(...base);
    const handle = await lab.open();
    const run: Act['run'] = (signal) => handle.write([], { name: ours }, { signal });
    return { run, before: base, handle };
  }),
  writing(
    'write where a commit was cut off',
    false,
    async (lab) => {
      await lab.commit(...base);
      await cutOff(lab);
      const handle = await lab.open(lab.broken, { retry: { attempts: 1 } });
      return { run: write(handle), before: base, handle };
    },
    true,
  ),
  writing(
    'write where the pointer is missing',
    false,
    async (lab) => {
      await lab.commit(...base);
      await lab.healthy.delete(pointerKey);
      const handle = await lab.open();
      return { run: write(handle), before: base, handle };
    },
    true,
  ),
  writing('write as the only writer', false, async (lab) => {
    await lab.commit(...base);
    const handle = await lab.open(lab.broken, { writers: 'single' });
    return { run: write(handle), before: base, handle };
  }),
  {
    ...writing(
      'write as the only writer of a store that cannot compare',
      false,
      async (lab) => {
        await lab.commit(...base);
        const store = limitedStore(lab.broken, { conditionalWrites: 'none', guardedPut: false });
        const handle = await lab.open(store, { writers: 'single' });
        return { run: write(handle), before: base, handle };
      },
      true,
    ),
    compares: false,
  },
);

export const pointerKey = 'datasets/d/latest';

/** What a crash between pointer and manifest leaves on object storage. */
export async function cutOff(lab: FaultLab): Promise<void> {
  const id = String(lab.env.now());
  await lab.healthy.put(pointerKey, id, { mode: 'overwrite' });
}

/** More than is held back to be put in one piece. */
const large = 300_000;

const blobs: FaultOperation[] = [
  blobOperation('write bytes', async (handle, signal) =>
    handle.write([bytesOf(ours)], { name: ours }, { signal }),
  ),
  blobOperation('stream bytes, few', async (handle, signal) => {
    const writer = await handle.streamWrite({ name: ours }, { signal });
    await writer.write(bytesOf(ours));
    return writer.commit();
  }),
  blobOperation('stream bytes, many', async (handle, signal) => {
    await using writer = await handle.streamWrite({ name: ours }, { signal });
    await writer.write(bytesOf(ours, large));
    await writer.write(bytesOf(ours));
    return await writer.commit();
  }),
  blobOperation('stream bytes, aborted', async (handle, signal) => {
    const writer = await handle.streamWrite({ name: ours }, { signal });
    await writer.write(bytesOf(ours, large));
    await writer.write(bytesOf(ours));
    await writer.abort();
  }),
];

function blobOperation(
  name: string,
  run: (handle: Dataset<Uint8Array>, signal: AbortSignal) => Promise<CommittedSnapshot | void>,
): FaultOperation {
  const prepare = async (lab: FaultLab): Promise<Act> => {
    await lab.commitBlobs(...base);
    const handle = await lab.openBlobs();
    await handle.latest();
    return { run: (signal) => run(handle, signal), before: base };
  };
  return { name, does: 'writes', blobs: true, prepare };
}

function reading(
  name: string,
  read: (
    handle: Rows,
    ids: readonly string[],
    signal: AbortSignal,
    lab: FaultLab,
  ) => Promise<unknown>,
  expected: (ids: readonly string[]) => unknown,
  hive = false,
): FaultOperation {
  const prepare = async (lab: FaultLab): Promise<Act> => {
    const ids = await lab.commit(...base, 'third');
    const handle = await lab.open();
    const run: Act['run'] = async (signal) =>
      assert.deepEqual(await read(handle, ids, signal, lab), expected(ids));
    return { run, before: [...base, 'third'], handle };
  };
  return { name, does: 'reads', ...(hive ? { hive } : {}), prepare };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const everyRow = (): Row[] => [...base, 'third'].flatMap(rowsOf);
const inOslo = (): Row[] => everyRow().filter(({ city }) => city === 'Oslo');

const reads: FaultOperation[] = [
  reading(
    'open and latest',
    async (_, __, signal, lab) =>
      (await (await lab.open(lab.broken, { signal })).latest({ signal })).id,
    (ids) => ids[2],
  ),
  reading(
    'latest, twice',
    async (handle, _, signal) => {
      await handle.latest({ signal });
      return (await handle.latest({ signal })).id;
    },
    (ids) => ids[2],
  ),
  reading(
    'snapshot',
    async (handle, ids, signal) => (await handle.snapshot(ids[1] ?? '', { signal })).id,
    (ids) => ids[1],
  ),
  reading(
    'snapshots',
    async (handle, _, signal) => (await all(handle.snapshots({ signal }))).map(({ id }) => id),
    (ids) => [...ids].reverse(),
  ),
  reading(
    'unreachable snapshots',
    (handle, _, signal) => all(handle.snapshots({ signal, unreachable: true })),
    () => [],
  ),
  reading(
    'read',
    (handle, ids, signal) => handle.read(ids[0] ?? '', { signal }),
    () => rowsOf('first'),
  ),
  reading(
    'records',
    (handle, ids, signal) => all(handle.records(ids[0] ?? '', { signal })),
    () => rowsOf('first'),
  ),
  reading(
    'records since the beginning',
    (handle, _, signal) => all(handle.records({ since: undefined }, { signal })),
    everyRow,
  ),
  reading(
    'records since a snapshot',
    (handle, ids, signal) => all(handle.records({ since: ids[1] }, { signal })),
    () => rowsOf('third'),
  ),
  reading(
    'records of a partition',
    (handle, _, signal) =>
      all(handle.records({ since: undefined }, { signal, where: { city: 'Oslo' } })),
    inOslo,
    true,
  ),
  reading(
    'verify',
    async (handle, _, signal) => {
      const { snapshots, problems } = await handle.verify({ signal });
      // What the fault made of an object is a problem rightly found.
      return problems.length === 0 ? snapshots : 3;
    },
    () => 3,
    true,
  ),
  reading(
    'repair, dry run',
    (handle, _, signal) => handle.repair({ signal, dryRun: true }),
    () => [],
    true,
  ),
];

export function mending(
  name: string,
  damage: (lab: FaultLab, ids: string[]) => Promise<void>,
): FaultOperation {
  const prepare = async (lab: FaultLab): Promise<Act> => {
    const ids = await lab.commit(...base);
    await damage(lab, ids);
    const handle = await lab.open();
    return { run: async (signal) => void (await handle.repair({ signal })), before: base, handle };
  };
  return { name, does: 'mends', hive: true, prepare };
}

const repairs: FaultOperation[] = [
  mending('repair, nothing to do', () => Promise.resolve()),
  mending('repair a cut off commit', cutOff),
  mending('repair a missing pointer', async (lab) => {
    await lab.healthy.delete(pointerKey);
  }),
  mending('repair missing copies', async (lab) => {
    const copies: string[] = [];
    for await (const { key } of lab.healthy.list('datasets/d/partitions/')) {
      if (key.endsWith('manifest.json')) copies.push(key);
    }
    assert.notEqual(copies.length, 0);
    await lab.healthy.delete(copies);
  }),
];

function copying(name: string, broken: 'source' | 'target', copied: boolean): FaultOperation {
  const prepare = async (lab: FaultLab): Promise<Act> => {
    // One lab, one broken store: the other side of the copy is whole.
    const memory = memoryStore({ env: lab.env });
    const other = lab.healthy.capabilities.guardedPut
      ? memory
      : limitedStore(memory, { guardedPut: false, settleMs: 200 });
    const source = await lab.open(broken === 'source' ? lab.healthy : other);
    await source.write(rowsOf('first'), { name: 'first' });
    const target = broken === 'source' ? other : lab.healthy;
    if (copied) await source.copyTo(target, { snapshot: (await source.latest()).id });
    const { id } = await source.write(rowsOf('second'), { name: 'second' });
    const handle = broken === 'source' ? await lab.open() : source;
    const to = broken === 'source' ? other : lab.broken;
    const run: Act['run'] = async (signal) =>
      void (await handle.copyTo(to, { snapshot: id, signal }));
    return { run, before: base, handle, target };
  };
  return { name, does: 'copies', prepare };
}

const copies: FaultOperation[] = (['source', 'target'] as const).flatMap((broken) => [
  copying(`copy, a broken ${broken}`, broken, false),
  copying(`copy the rest, a broken ${broken}`, broken, true),
]);

export const operations: readonly FaultOperation[] = [
  ...writes,
  ...blobs,
  ...reads,
  ...repairs,
  ...copies,
];
