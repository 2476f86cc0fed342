/** The calls and accidents of the volume model, as fast-check commands. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AsyncCommand } from 'fast-check';
import { isLodeError } from '../../src/errors.ts';
import type { Volume } from '../../src/volume/index.ts';
import { collectAll, failsWith } from './dataset.ts';
import {
  checkCommit,
  checkStage,
  committed,
  content,
  forms,
  keyOf,
  learned,
  length,
  lookAgain,
  places,
  pointerKey,
  runs,
} from './volume.ts';
import type { Staged, VolumeModel, VolumeReal } from './volume.ts';

type Command = AsyncCommand<VolumeModel, VolumeReal>;

const handle = fc.nat(1);
const pick = fc.nat(1_000);
/** Offset and size; a short volume makes meetings likely. */
const range = fc
  .tuple(fc.nat(length - 1), fc.integer({ min: 1, max: 120 }))
  .map(([offset, size]) => [offset, Math.min(size, length - offset)] as const);
/** Mostly what everybody would stage there. */
const kind = fc.constantFrom(0, 0, 0, 0, 1);

function command(
  name: string,
  run: (model: VolumeModel, real: VolumeReal) => Promise<void>,
  check: (model: Readonly<VolumeModel>) => boolean = () => true,
): Command {
  return { check, run, toString: () => name };
}

const some = (model: Readonly<VolumeModel>): boolean => model.chain.length > 0;
const anyStaged = (model: Readonly<VolumeModel>): boolean => model.staged.length > 0;

function chosen<T>(items: readonly T[], at: number): T {
  const item = items[at % items.length];
  assert.ok(item !== undefined);
  return item;
}

const on = (real: VolumeReal, h: number): Volume => chosen(real.handles, h);

async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

const stage = fc.tuple(handle, range, kind).map(([h, [offset, size], k]) =>
  command(`stageWriteAt(${h}, ${offset}, ${size} bytes, ${k})`, (model, real) => {
    const bytes = content(offset, size, k);
    return checkStage(model, real.store, offset, bytes, (told) =>
      on(real, h).stageWriteAt(offset, bytes, { onProgress: ({ adopted }) => told(adopted) }),
    );
  }),
);

const stageStream = fc
  .tuple(handle, range, kind, fc.integer({ min: 1, max: 70 }), fc.boolean())
  .map(([h, [offset, size], k, chunk, declared]) =>
    command(`stageWriteAt(${h}, stream at ${offset}, ${size} bytes)`, (model, real) => {
      const bytes = content(offset, size, k);
      return checkStage(model, real.store, offset, bytes, (told) =>
        on(real, h).stageWriteAt(offset, chunked(bytes, chunk), {
          ...(declared && { length: size }),
          onProgress: ({ adopted }) => told(adopted),
        }),
      );
    }),
  );

const brokenStream = fc.tuple(handle, range).map(([h, [offset, size]]) =>
  command(`stageWriteAt(${h}, breaks at ${offset}, after ${size})`, async (model, real) => {
    const reason = new Error('the source broke');
    const bytes = content(offset, size, 0);
    async function* source(): AsyncGenerator<Uint8Array> {
      yield* chunked(bytes, 10);
      throw reason;
    }
    const work = on(real, h).stageWriteAt(offset, source());
    const error = await work.then(
      () => undefined,
      (cause: unknown) => cause,
    );
    assert.ok(error === reason || isLodeError(error, 'LODE_ALREADY_EXISTS'), String(error));
    await lookAgain(model, real.store);
  }),
);

/** Up to three of what is staged, mostly of late. */
const several = fc.array(fc.nat(12), { minLength: 1, maxLength: 3 });
const taken = ({ staged }: VolumeModel, from: readonly number[]): Staged[] => [
  ...new Set(from.map((back) => chosen(staged, Math.max(0, staged.length - 1 - back)))),
];

const commit = fc
  .tuple(handle, several)
  .map(([h, from]) =>
    command(
      `commit(${h})`,
      (model, real) => checkCommit(model, h, on(real, h), taken(model, from)),
      anyStaged,
    ),
  );

const expecting = fc.tuple(handle, several, fc.nat(5)).map(([h, from, which]) =>
  command(
    `commit expecting(${h}, ${['nothing', 'the past'][which] ?? 'the head'})`,
    (model, real) => {
      const past = model.chain[0]?.id ?? 'never was';
      const expected = which === 0 ? null : which === 1 ? past : (model.chain.at(-1)?.id ?? null);
      return checkCommit(model, h, on(real, h), taken(model, from), expected);
    },
    anyStaged,
  ),
);

const atOnce = fc.tuple(range, range).map(([a, b]) =>
  command('both handles stage and commit at once', async (model, real) => {
    const before = model.chain.at(-1)?.bytes ?? new Int16Array(length).fill(-1);
    const free = [a, b].filter(([offset, size]) => {
      const isFree = runs(before, offset, size, true).length === 0;
      return isFree && places(model, offset, content(offset, size, 0))?.adopted === 0;
    });
    const [one, other] = free;
    if (one === undefined || other === undefined) return;
    if (one[0] < other[0] + other[1] && other[0] < one[0] + one[1]) return;
    const done = await Promise.all(
      [one, other].map(async ([offset, size], h) => {
        const bytes = content(offset, size, 0);
        const staged = await on(real, h).stageWriteAt(offset, bytes);
        for (const { offset: at, length: count } of staged.blocks)
          model.objects.set(keyOf(at, count), bytes.slice(at - offset, at - offset + count));
        const item = { range: staged, bytes };
        model.staged.push(item);
        const snapshot = await on(real, h)
          .commit([staged])
          .catch((error: unknown) => {
            assert.ok(h === 0 && isLodeError(error, 'LODE_SNAPSHOT_CONFLICT'), String(error));
            return undefined;
          });
        return { snapshot, item };
      }),
    );
    const landed = done.flatMap(({ snapshot, item }) => (snapshot ? [{ snapshot, item }] : []));
    landed.sort((x, y) => (x.snapshot.id < y.snapshot.id ? -1 : 1));
    for (const { snapshot, item } of landed) committed(model, snapshot, [item]);
    for (const h of [0, 1]) {
      assert.equal((await on(real, h).head())?.id, model.chain.at(-1)?.id);
      learned(model, h);
    }
  }),
);

const nonsense = fc.tuple(handle, pick).map(([h, at]) =>
  command(`nonsense(${h}, ${at})`, async (_, real) => {
    const volume = on(real, h);
    const block = { offset: 0, length: 10, path: keyOf(0, 11) };
    const bad = [
      () => volume.commit([]),
      () => volume.commit([block]),
      () => volume.commit([{ ...block, offset: length - 5, path: keyOf(length - 5, 10) }]),
      () => volume.stageWriteAt(-1, content(0, 1, 0)),
      () => volume.stageWriteAt(length, content(0, 1, 0)),
      () => volume.stageWriteAt(length - 1, content(0, 2, 0)),
      () => volume.stageWriteAt(0.5, content(0, 1, 0)),
      () => volume.stageWriteAt(0, new Uint8Array(0)),
      () => volume.readAt('1', 0, 0),
      () => volume.readAt('1', 0, length + 1),
      () => volume.readAt('1', 2 ** 53, 1),
    ];
    await failsWith(chosen(bad, at)(), 'LODE_INVALID_ARGUMENT');
  }),
);

const read = fc.tuple(handle, pick, range, fc.boolean()).map(([h, at, [offset, size], verified]) =>
  command(
    `readAt(${h}, ${offset}, ${size})`,
    async (model, real) => {
      const { id, bytes } = chosen(model.chain, at);
      const gaps = runs(bytes, offset, size, false);
      const work = on(real, h).readAt(id, offset, size, { verified });
      if (gaps.length === 0) {
        assert.deepEqual([...(await work)], [...bytes.subarray(offset, offset + size)]);
        return;
      }
      const error = await work.catch((cause: unknown) => cause);
      assert.ok(isLodeError(error, 'LODE_RANGE_MISSING'), String(error));
      assert.deepEqual(error.details.gaps, gaps);
    },
    some,
  ),
);

const stream = fc.tuple(handle, pick, pick).map(([h, at, which]) =>
  command(
    `stream(${h})`,
    async (model, real) => {
      const { id, bytes } = chosen(model.chain, at);
      const run = chosen(runs(bytes, 0, length, true), which);
      const chunks = await collectAll(on(real, h).stream(id, run));
      const expected = [...bytes.subarray(run.offset, run.offset + run.length)];
      assert.deepEqual(Array.from(Buffer.concat(chunks)), expected);
    },
    some,
  ),
);

const coverage = fc.tuple(handle, pick, range).map(([h, at, [offset, size]]) =>
  command(
    `missing and coverage(${h})`,
    async (model, real) => {
      const { id, bytes } = chosen(model.chain, at);
      const volume = on(real, h);
      const snapshot = await volume.snapshot(id);
      const part = { offset, length: size };
      assert.deepEqual(volume.missing(snapshot, part), runs(bytes, offset, size, false));
      assert.deepEqual(volume.missing(snapshot), runs(bytes, 0, length, false));
      assert.deepEqual(volume.coverage(snapshot), runs(bytes, 0, length, true));
      assert.equal(snapshot.complete, volume.missing(snapshot).length === 0);
    },
    some,
  ),
);

const latest = handle.map((h) =>
  command(`latest(${h})`, async (model, real) => {
    const head = model.chain.at(-1);
    if (head === undefined) await failsWith(on(real, h).latest(), 'LODE_NO_SNAPSHOTS');
    else assert.equal((await on(real, h).latest()).id, head.id);
    learned(model, h);
  }),
);

const snapshots = handle.map((h) =>
  command(`snapshots(${h})`, async (model, real) => {
    const found = await collectAll(on(real, h).snapshots());
    assert.deepEqual(
      found.map(({ id, manifest }) => [id, manifest.blocks.count]),
      [...model.chain].reverse().map(({ id, blocks }) => [id, blocks.length]),
    );
    assert.deepEqual(await collectAll(on(real, h).snapshots({ unreachable: true })), []);
  }),
);

const unknown = handle.map((h) =>
  command(`snapshot(${h}, unknown)`, async (_, real) => {
    await failsWith(on(real, h).snapshot('1000000000000000001'), 'LODE_NOT_FOUND');
    await failsWith(on(real, h).readAt('1000000000000000001', 0, 1), 'LODE_NOT_FOUND');
  }),
);

const reopen = fc.tuple(handle, fc.constantFrom(...forms)).map(([h, form]) =>
  command(`reopen(${h}, ${form})`, async (model, real) => {
    await on(real, h).close();
    await failsWith(on(real, h).latest(), 'LODE_CLOSED');
    real.handles[h] = await real.open(h, form);
    learned(model, h, true);
  }),
);

const losePointer = handle.map((h) =>
  command(
    `the pointer is lost, and repaired(${h})`,
    async (model, real) => {
      await real.store.delete(pointerKey);
      const head = model.chain.at(-1)?.id;
      assert.equal((await on(real, h).latest()).id, head);
      assert.deepEqual(await on(real, h).repair(), [pointerKey]);
      assert.deepEqual(await on(real, h).repair(), []);
      model.version = (model.version ?? 0) + 1;
      assert.equal((await on(real, h).latest()).id, head);
      learned(model, h);
    },
    some,
  ),
);

const rot = fc.tuple(handle, pick, pick, pick).map(([h, at, which, byte]) =>
  command(
    'a block rots, and is restored',
    async (model, real) => {
      const { id, blocks, bytes } = chosen(model.chain, at);
      const { offset, length: size } = chosen(blocks, which);
      const key = keyOf(offset, size);
      const whole = Uint8Array.from(bytes.subarray(offset, offset + size));
      const damaged = whole.slice();
      damaged[byte % size] = (whole[byte % size] ?? 0) ^ (1 + (byte % 255));
      await real.store.put(key, damaged, { mode: 'overwrite' });
      const reading = { offset: offset + (byte % size), length: 1 };
      const part = (): Promise<Uint8Array> =>
        on(real, h).readAt(id, reading.offset, 1, { verified: true });
      await failsWith(part(), 'LODE_CHECKSUM_MISMATCH');
      await failsWith(on(real, h).readAt(id, offset, size), 'LODE_CHECKSUM_MISMATCH');
      await real.store.delete(key);
      await failsWith(part(), 'LODE_NOT_FOUND');
      await real.store.put(key, whole);
      assert.deepEqual([...(await part())], [bytes[reading.offset]]);
    },
    some,
  ),
);

/** Every command, the common ones more often. */
export const volumeCommands: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: stage, weight: 8 },
  { arbitrary: stageStream, weight: 3 },
  { arbitrary: commit, weight: 8 },
  { arbitrary: expecting, weight: 2 },
  { arbitrary: read, weight: 5 },
  { arbitrary: atOnce, weight: 2 },
  ...[
    brokenStream,
    nonsense,
    stream,
    coverage,
    latest,
    snapshots,
    unknown,
    reopen,
    losePointer,
    rot,
  ].map((arbitrary) => ({ arbitrary, weight: 1 })),
);
