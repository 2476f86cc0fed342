/** The calls and accidents of the dataset model, as fast-check commands. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AsyncCommand } from 'fast-check';
import { openDataset } from '../../src/dataset/index.ts';
import { jsonl } from '../../src/encoding/index.ts';
import { faultyStore } from '../../src/testing/index.ts';
import type { Model, Real, Row } from './dataset.ts';
import {
  checkWrite,
  collectAll,
  failsWith,
  headOf,
  inOrder,
  layout,
  learned,
  manifestKeyOf,
  pointerKey,
} from './dataset.ts';

type Command = AsyncCommand<Model, Real>;

const handle = fc.nat(1);
const pick = fc.nat(1_000);
const rows = fc.array(
  fc.record({ k: fc.constantFrom('a', 'b', 'c/d'), n: fc.nat(9) }, { noNullPrototype: true }),
  {
    maxLength: 4,
  },
);

function command(
  name: string,
  run: (model: Model, real: Real) => Promise<void>,
  check: (model: Readonly<Model>) => boolean = () => true,
): Command {
  return { check, run, toString: () => name };
}

/** A snapshot of the chain by any number. */
const chosen = (model: Readonly<Model>, at: number): Model['chain'][number] => {
  const snapshot = model.chain[at % model.chain.length];
  assert.ok(snapshot);
  return snapshot;
};
const some = (model: Readonly<Model>): boolean => model.chain.length > 0;
const on = (real: Real, h: number): Real['handles'][number] => {
  const dataset = real.handles[h];
  assert.ok(dataset);
  return dataset;
};

const write = fc
  .tuple(handle, rows)
  .map(([h, r]) =>
    command(`write(${h}, ${r.length} rows)`, (model, real) =>
      checkWrite(model, real.store, h, r, undefined, on(real, h).write(r, { n: r.length })),
    ),
  );

const streamRecords = fc.tuple(handle, rows, fc.integer({ min: 1, max: 3 })).map(([h, r, open]) =>
  command(`streamWriteRecords(${h}, ${r.length} rows, ${open} open)`, async (model, real) => {
    async function* source(): AsyncGenerator<Row> {
      yield* r;
    }
    // More files than partitions when few may be open: within a partition the order stays.
    const made = on(real, h).streamWriteRecords(source(), {}, { openFilesMax: open });
    await checkWrite(model, real.store, h, r, undefined, made);
  }),
);

const brokenStream = fc.tuple(handle, rows).map(([h, r]) =>
  command(`streamWriteRecords(${h}, breaks after ${r.length})`, async (_, real) => {
    const reason = new Error('the source broke');
    function* source(): Generator<Row> {
      yield* r;
      throw reason;
    }
    const before = (await collectAll(real.store.list(''))).length;
    await assert.rejects(on(real, h).streamWriteRecords(source()), (error) => error === reason);
    assert.equal((await collectAll(real.store.list(''))).length, before);
  }),
);

const expecting = fc.tuple(handle, rows, fc.nat(5)).map(([h, r, which]) =>
  command(
    `write(${h}, expecting ${['nothing', 'the past'][which] ?? 'the head'})`,
    (model, real) => {
      const past = model.chain[0]?.id ?? 'never was';
      const expected = which === 0 ? null : which === 1 ? past : (headOf(model)?.id ?? null);
      const made = on(real, h).write(r, {}, { expectedParent: expected });
      return checkWrite(model, real.store, h, r, expected, made);
    },
  ),
);

const deniedWrite = handle.map((h) =>
  command(`write(storage refuses data)`, async (model, real) => {
    const refusing = faultyStore(real.store, { kind: 'deny', on: 'put' }).store;
    const writers = real.store.capabilities.conditionalWrites === 'all' ? 'any' : 'process';
    const dataset = await openDataset<Row>('ds', {
      store: refusing,
      layout,
      codec: jsonl(),
      writers,
    });
    await failsWith(dataset.write([{ k: 'a', n: h }]), 'LODE_PERMISSION_DENIED');
    assert.equal(await headIn(real), headOf(model)?.id);
  }),
);

const reopen = handle.map((h) =>
  command(`reopen(${h})`, async (model, real) => {
    await on(real, h).close();
    await failsWith(on(real, h).latest(), 'LODE_CLOSED');
    real.handles[h] = await real.open(h);
    model.beliefs[h] = undefined;
  }),
);

const latest = handle.map((h) =>
  command(`latest(${h})`, async (model, real) => {
    const head = headOf(model);
    if (head === undefined) await failsWith(on(real, h).latest(), 'LODE_NO_SNAPSHOTS');
    else assert.equal((await on(real, h).latest()).id, head.id);
    learned(model, h);
  }),
);

const snapshots = handle.map((h) =>
  command(`snapshots(${h})`, async (model, real) => {
    const found = await collectAll(on(real, h).snapshots());
    assert.deepEqual(
      found.map(({ id, manifest }) => [id, manifest.rowCount]),
      [...model.chain].reverse().map(({ id, rows: r }) => [id, r.length]),
    );
    assert.deepEqual(await collectAll(on(real, h).snapshots({ unreachable: true })), []);
  }),
);

const read = fc.tuple(handle, pick).map(([h, at]) =>
  command(
    `read(${h}, ${at})`,
    async (model, real) => {
      const { id, rows: expected } = chosen(model, at);
      assert.deepEqual(await on(real, h).read(id), inOrder(expected));
      assert.deepEqual(await collectAll(on(real, h).records(id)), inOrder(expected));
    },
    some,
  ),
);

const readWhere = fc
  .tuple(handle, pick, fc.nat(9), fc.constantFrom('a', 'c/d'))
  .map(([h, at, n, k]) =>
    command(
      `read(${h}, ${at}, where n >= ${n}, k = ${k})`,
      async (model, real) => {
        const { id, rows: expected } = chosen(model, at);
        const all = inOrder(expected);
        const dataset = on(real, h);
        assert.deepEqual(
          await dataset.read(id, { where: { n: { gte: n }, k }, columns: ['n'] }),
          all.filter((row) => row.n >= n && row.k === k).map((row) => ({ n: row.n })),
        );
        assert.deepEqual(
          await dataset.read(id, { partition: { k } }),
          all.filter((row) => row.k === k),
        );
      },
      some,
    ),
  );

const since = fc.tuple(handle, pick).map(([h, at]) =>
  command(`records({ since: ${at} })`, async (model, real) => {
    const from = at % (model.chain.length + 1);
    const source = { since: model.chain[from - 1]?.id };
    assert.deepEqual(
      await collectAll(on(real, h).records(source)),
      model.chain.slice(from).flatMap(({ rows: r }) => inOrder(r)),
    );
  }),
);

const unknown = handle.map((h) =>
  command(
    `snapshot(${h}, unknown)`,
    async (_, real) => {
      await failsWith(on(real, h).snapshot('1000000000000000001'), 'LODE_NOT_FOUND');
      await failsWith(collectAll(on(real, h).records({ since: 'nobody' })), 'LODE_NOT_FOUND');
    },
    some,
  ),
);

const losePointer = fc.constant(
  command('the pointer is lost', async (model, real) => {
    await real.store.delete(pointerKey);
    model.pointer = { is: 'missing' };
  }),
);

const emptyPointer = fc.constant(
  command('the pointer is emptied', async (model, real) => {
    await real.store.put(pointerKey, '', { mode: 'overwrite' });
    model.pointer = { is: 'empty', version: ++model.versions };
  }),
);

const aheadPointer = fc.integer({ min: 1, max: 1_000_000 }).map((by) =>
  command('the pointer is ahead of a manifest that never comes', async (model, real) => {
    const id = String(BigInt(headOf(model)?.id ?? 1_700_000_000_000_000_000n) + BigInt(by));
    await real.store.put(pointerKey, id, { mode: 'overwrite' });
    model.pointer = { is: 'dangling', version: ++model.versions, id };
  }),
);

const loseCopy = fc.tuple(pick, pick).map(([at, which]) =>
  command(
    'a manifest copy is lost',
    async (model, real) => {
      const { id, rows: r } = chosen(model, at);
      const partitions = [...new Set(r.map(({ k }) => `k=${encodeURIComponent(k)}`))];
      const partition = partitions[which % Math.max(1, partitions.length)];
      if (partition === undefined) return;
      await real.store.delete(manifestKeyOf(id, partition));
      model.lostCopies.add(manifestKeyOf(id, partition));
    },
    some,
  ),
);

const repair = fc.tuple(handle, fc.boolean()).map(([h, dryRun]) =>
  command(`repair(${h}, dryRun ${dryRun})`, async (model, real) => {
    const { pointer } = model;
    const expected = [...model.lostCopies];
    if ((pointer.is === 'missing' || pointer.is === 'empty') && some(model))
      expected.push(pointerKey);
    if (pointer.is === 'dangling') expected.push(manifestKeyOf(pointer.id));
    const keys = await on(real, h).repair({ dryRun });
    assert.deepEqual(keys.sort(), expected.sort());
    model.beliefs[h] = undefined;
    if (dryRun) return;
    model.lostCopies.clear();
    if (pointer.is === 'dangling') model.pointer = { is: 'right', version: pointer.version };
    else if (expected.includes(pointerKey))
      model.pointer = { is: 'right', version: ++model.versions };
  }),
);

const verify = handle.map((h) =>
  command(`verify(${h})`, async (model, real) => {
    const expected = [...model.lostCopies];
    if (model.pointer.is === 'dangling') expected.push(pointerKey);
    if (model.chain.length === 0 && model.pointer.is !== 'dangling')
      return failsWith(on(real, h).verify(), 'LODE_NO_SNAPSHOTS');
    if (model.pointer.is === 'missing' || model.pointer.is === 'empty') expected.push(pointerKey);
    const { problems, unchecked } = await on(real, h).verify();
    assert.deepEqual(problems.map(({ key }) => key).sort(), expected.sort());
    assert.equal(unchecked, 0);
  }),
);

const rot = fc.tuple(handle, pick, pick).map(([h, at, byte]) =>
  command(
    'a data file rots, and is restored',
    async (model, real) => {
      const { id, rows: r } = chosen(model, at);
      const [file] = (await on(real, h).snapshot(id)).manifest.files;
      if (file === undefined || file.sizeBytes === 0) return;
      const whole = (await (await real.store.get(file.path))?.bytes()) ?? new Uint8Array(0);
      const damaged = whole.slice();
      const place = byte % whole.length;
      damaged[place] = (damaged[place] ?? 0) ^ (1 + (byte % 255));
      await real.store.put(file.path, damaged, { mode: 'overwrite' });
      await failsWith(on(real, h).read(id), 'LODE_CHECKSUM_MISMATCH');
      await real.store.put(file.path, whole, { mode: 'overwrite' });
      assert.equal((await on(real, h).read(id)).length, r.length);
    },
    some,
  ),
);

const copy = fc.tuple(handle, pick).map(([h, at]) =>
  command(
    `copyTo(${h}, ${at})`,
    async (model, real) => {
      const upTo = at % model.chain.length;
      const report = await on(real, h).copyTo(real.copy, { snapshot: chosen(model, at).id });
      assert.equal(report.snapshots, Math.max(0, upTo + 1 - model.copied));
      model.copied = Math.max(model.copied, upTo + 1);
      const there = await openDataset<Row>('ds', { store: real.copy, layout, codec: jsonl() });
      assert.deepEqual(
        (await collectAll(there.snapshots())).map(({ id }) => id),
        model.chain
          .slice(0, model.copied)
          .map(({ id }) => id)
          .reverse(),
      );
    },
    some,
  ),
);

async function headIn(real: Real): Promise<string | undefined> {
  const [first] = await collectAll((await real.open(0)).snapshots());
  return first?.id;
}

/** Every command, the common ones more often. */
export const commands: fc.Arbitrary<Command> = fc.oneof(
  { arbitrary: write, weight: 6 },
  { arbitrary: streamRecords, weight: 3 },
  { arbitrary: expecting, weight: 3 },
  { arbitrary: latest, weight: 4 },
  { arbitrary: read, weight: 3 },
  { arbitrary: readWhere, weight: 3 },
  ...[
    brokenStream,
    deniedWrite,
    reopen,
    snapshots,
    since,
    unknown,
    losePointer,
    emptyPointer,
    aheadPointer,
    loseCopy,
    repair,
    verify,
    rot,
    copy,
  ].map((arbitrary) => ({ arbitrary, weight: 1 })),
);
