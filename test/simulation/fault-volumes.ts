/** Every public operation of a volume, as `fault-operations.ts` has those of a dataset. */
import assert from 'node:assert/strict';
import { isLodeError } from '../../src/index.ts';
import type { StagedRange, Volume, VolumeOptions } from '../../src/index.ts';
import { blockOf, bytesOf, offsetOf, placeBytes, volumeBytes } from './fault-lab.ts';
import type { FaultLab, VolumeForm } from './fault-lab.ts';
import { base, ours } from './fault-operations.ts';
import type { Act, FaultOperation } from './fault-operations.ts';

const pointerKey = 'volumes/d/latest';
const forms = ['compatible', 'compact'] as const;
const all = [...base, 'third'];

const stage = (volume: Volume, signal?: AbortSignal): Promise<StagedRange> =>
  volume.stageWriteAt(offsetOf(ours), blockOf(ours), signal && { signal });

const fill =
  (volume: Volume, more: object = {}): Act['run'] =>
  async (signal) =>
    volume.commit([await stage(volume, signal)], { name: ours }, { signal, ...more });

function filling(
  name: string,
  form: VolumeForm,
  prepare: (lab: FaultLab) => Promise<Act>,
): FaultOperation {
  // Commits go on top of what others have committed, and so have to believe a store that says there is nothing.
  return { name: `${name}, ${form}`, does: 'writes', volume: form, believes: true, prepare };
}

/** What a crash between pointer and manifest leaves on object storage. */
async function cutOff(lab: FaultLab): Promise<void> {
  await lab.healthy.put(pointerKey, String(lab.env.now()), { mode: 'overwrite' });
}

const commits = forms.flatMap((manifests): FaultOperation[] => [
  filling('fill, first of all', manifests, async (lab) => {
    const volume = await lab.openVolume(lab.broken, { manifests });
    return { run: fill(volume), before: [], volume };
  }),
  filling('open and fill', manifests, async (lab) => {
    await lab.commitBlocks(manifests, ...base);
    const run: Act['run'] = async (signal) =>
      fill(await lab.openVolume(lab.broken, { signal }))(signal);
    return { run, before: base };
  }),
  filling('fill again after a lost race', manifests, async (lab) => {
    await lab.commitBlocks(manifests, ...base);
    const volume = await lab.openVolume();
    await volume.latest();
    await lab.commitBlocks(manifests, 'rival');
    return { run: fill(volume), before: [...base, 'rival'], volume };
  }),
  filling('fill where a commit was cut off', manifests, async (lab) => {
    await lab.commitBlocks(manifests, ...base);
    await cutOff(lab);
    const volume = await lab.openVolume();
    return { run: fill(volume), before: base, volume };
  }),
]);

const plain = 'compatible';
const others: FaultOperation[] = [
  filling('fill, lost race', plain, async (lab) => {
    await lab.commitBlocks(plain, ...base);
    const volume = await lab.openVolume(lab.broken, { retry: { attempts: 0 } });
    await volume.latest();
    await lab.commitBlocks(plain, 'rival');
    return { run: fill(volume), before: [...base, 'rival'], volume };
  }),
  filling('fill with the parent expected', plain, async (lab) => {
    const [, expectedParent] = await lab.commitBlocks(plain, ...base);
    const volume = await lab.openVolume();
    return { run: fill(volume, { expectedParent }), before: base, volume };
  }),
  filling('fill where the pointer is missing', plain, async (lab) => {
    await lab.commitBlocks(plain, ...base);
    await lab.healthy.delete(pointerKey);
    const volume = await lab.openVolume();
    return { run: fill(volume), before: base, volume };
  }),
  filling('commit what another process has staged', plain, async (lab) => {
    await lab.commitBlocks(plain, ...base);
    const staged = await stage(await lab.openVolume(lab.healthy));
    const volume = await lab.openVolume();
    const run: Act['run'] = (signal) => volume.commit([staged], { name: ours }, { signal });
    return { run, before: base, volume };
  }),
  filling('stage again, and commit', plain, async (lab) => {
    await lab.commitBlocks(plain, ...base);
    await stage(await lab.openVolume(lab.healthy));
    const volume = await lab.openVolume();
    return { run: fill(volume), before: base, volume };
  }),
  filling('stage around other bytes, and commit', plain, async (lab) => {
    await lab.commitBlocks(plain, ...base);
    const stranger = await lab.openVolume(lab.healthy);
    await stranger.stageWriteAt(offsetOf(ours), bytesOf('other', placeBytes));
    const volume = await lab.openVolume();
    return { run: fill(volume), before: base, volume };
  }),
  filling('stage a stream, and commit', plain, async (lab) => {
    await lab.commitBlocks(plain, ...base);
    const volume = await lab.openVolume();
    const run: Act['run'] = async (signal) => {
      async function* source(): AsyncGenerator<Uint8Array> {
        const bytes = blockOf(ours);
        for (let at = 0; at < bytes.length; at += 25) yield bytes.slice(at, at + 25);
      }
      const staged = await volume.stageWriteAt(offsetOf(ours), source(), { signal });
      return volume.commit([staged], { name: ours }, { signal });
    };
    return { run, before: base, volume };
  }),
  filling('fill until there is a run', 'compact', async (lab) => {
    // With these a manifest holds as many blocks as it may.
    const many = await lab.openVolume(lab.healthy, { manifests: 'compact', blockBytes: 1 });
    const staged = await many.stageWriteAt(volumeBytes - 64, new Uint8Array(64));
    await many.commit([staged], { name: 'first' });
    const volume = await lab.openVolume();
    return { run: fill(volume), before: ['first'], volume };
  }),
  filling('convert', 'compact', async (lab) => {
    await lab.commitBlocks(plain, ...base);
    const volume = await lab.openVolume(lab.broken, { manifests: 'compact' });
    return { run: fill(volume), before: base, volume };
  }),
];

function reading(
  name: string,
  read: (volume: Volume, ids: readonly string[], signal: AbortSignal) => Promise<unknown>,
  expected: (ids: readonly string[]) => unknown,
  options: Partial<VolumeOptions> = {},
): FaultOperation[] {
  return forms.map((manifests) => ({
    name: `${name}, ${manifests}`,
    does: 'reads',
    volume: manifests,
    prepare: async (lab) => {
      const ids = await lab.commitBlocks(manifests, ...all);
      const volume = await lab.openVolume(lab.broken, options);
      const run: Act['run'] = async (signal) =>
        assert.deepEqual(await read(volume, ids, signal), expected(ids));
      return { run, before: all, volume };
    },
  }));
}

async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const threePlaces = { offset: 0, length: all.length * placeBytes };
const threeBlocks = (): number[] => all.flatMap((name) => [...blockOf(name)]);

const reads = [
  ...reading(
    'latest of a volume',
    async (volume, _, signal) => (await volume.latest({ signal })).id,
    (ids) => ids[2],
  ),
  ...reading(
    'snapshots of a volume',
    async (volume, _, signal) => (await listed(volume.snapshots({ signal }))).map(({ id }) => id),
    (ids) => [...ids].reverse(),
  ),
  ...reading(
    'read part of a block',
    async (volume, ids, signal) => {
      const bytes = await volume.readAt(ids[0] ?? '', 3, 5, { signal });
      // No digest covers a part of a block: only its length can be told.
      return bytes.length;
    },
    () => 5,
  ),
  ...reading(
    'read blocks without their digests',
    async (volume, ids, signal) =>
      (await volume.readAt(ids[2] ?? '', 0, placeBytes, { signal })).length,
    () => placeBytes,
    { verify: false },
  ),
  ...reading(
    'read over blocks, verified',
    async (volume, ids, signal) => [
      ...(await volume.readAt(ids[2] ?? '', 1, threePlaces.length - 2, { signal, verified: true })),
    ],
    () => threeBlocks().slice(1, -1),
  ),
  ...reading(
    'stream blocks',
    async (volume, ids, signal) => {
      const chunks = await listed(volume.stream(ids[2] ?? '', threePlaces, { signal }));
      return chunks.flatMap((chunk) => [...chunk]);
    },
    threeBlocks,
  ),
  ...reading(
    'read what is missing',
    async (volume, ids, signal) => {
      const error: unknown = await volume
        .readAt(ids[0] ?? '', 0, threePlaces.length, { signal })
        .catch((cause: unknown) => cause);
      if (isLodeError(error, 'LODE_RANGE_MISSING')) return error.details.gaps;
      throw error;
    },
    () => [{ offset: placeBytes, length: 2 * placeBytes }],
  ),
  ...reading(
    'verify a volume',
    async (volume, _, signal) => {
      const { snapshots, problems } = await volume.verify({ signal });
      // What the fault made of an object is a problem rightly found.
      return problems.length === 0 ? snapshots : 3;
    },
    () => 3,
  ),
];

function mending(name: string, damage: (lab: FaultLab) => Promise<void>): FaultOperation {
  const prepare = async (lab: FaultLab): Promise<Act> => {
    await lab.commitBlocks(plain, ...base);
    await damage(lab);
    const volume = await lab.openVolume();
    return { run: async (signal) => void (await volume.repair({ signal })), before: base, volume };
  };
  return { name, does: 'mends', volume: plain, prepare };
}

export const volumeOperations: readonly FaultOperation[] = [
  ...commits,
  ...others,
  ...reads,
  mending('repair a volume, nothing to do', () => Promise.resolve()),
  mending('repair a cut off commit of a volume', cutOff),
  mending('repair a missing pointer of a volume', async (lab) => {
    await lab.healthy.delete(pointerKey);
  }),
];
