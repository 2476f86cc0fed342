/** At risk: a call on something closed that half works, bytes out of order, an abort that hangs or shows half a snapshot. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BlobWriter, CommittedSnapshot, Dataset } from '../../../src/dataset/index.ts';
import { hive } from '../../../src/dataset/index.ts';
import { faultyStore } from '../../../src/testing/index.ts';
import { memoryStore } from '../../../src/store/index.ts';
import type { Store } from '../../../src/store/index.ts';
import { all, bedOf, fails, keysOf, onBoth, textOf, textOfBlob, pointerKey } from './bed.ts';
import type { Bed, Row } from './bed.ts';

const big = new Uint8Array(300_000);

type Call = (dataset: Dataset<Row>, id: string, signal?: AbortSignal) => Promise<unknown>;

/** Every public call of a dataset of records. */
const calls: Readonly<Record<string, Call>> = {
  write: (d, _, signal) => d.write([{ k: 'a' }, { k: 'b' }], {}, { signal }),
  streamWriteRecords: (d, _, signal) =>
    d.streamWriteRecords([{ k: 'a' }, { k: 'b' }], {}, { signal }),
  read: (d, id, signal) => d.read(id, { signal }),
  records: (d, id, signal) => all(d.records(id, { signal })),
  recordsSince: (d, _, signal) => all(d.records({ since: undefined }, { signal })),
  latest: (d, _, signal) => d.latest({ signal }),
  snapshot: (d, id, signal) => d.snapshot(id, { signal }),
  snapshots: (d, _, signal) => all(d.snapshots({ signal })),
  unreachable: (d, _, signal) => all(d.snapshots({ unreachable: true, signal })),
  verify: (d, _, signal) => d.verify({ signal }),
  repair: (d, _, signal) => d.repair({ signal }),
  copyTo: (d, id, signal) => d.copyTo(memoryStore(), { snapshot: id, signal }),
};
const writes = ['write', 'streamWriteRecords'];

const layout = hive('k');

async function filled(bed: Bed): Promise<string> {
  const { id } = await (await bed.records({ layout })).write([{ k: 'a' }, { k: 'b' }]);
  return id;
}

void describe('a closed dataset', () => {
  for (const [name, call] of Object.entries(calls)) {
    onBoth(`refuses ${name}, and nothing happens`, async (bed) => {
      const id = await filled(bed);
      const dataset = await bed.records({ layout });
      const before = await keysOf(bed.store);
      await dataset.close();
      const error = await fails(call(dataset, id), 'LODE_CLOSED');
      assert.equal(error.details.dataset, 'ds');
      assert.deepEqual(await keysOf(bed.store), before);
    });
  }

  onBoth('refuses streams, and has aborted those that were open', async (bed) => {
    const dataset = await bed.blobs();
    const open = await dataset.streamWrite();
    await open.write(big);
    await open.write('more');
    const committed = await dataset.streamWrite();
    await committed.write('kept');
    const { id } = await committed.commit();
    await dataset.close();
    await dataset.close();
    await fails(dataset.streamWrite(), 'LODE_CLOSED');
    await fails(dataset.stream(id), 'LODE_CLOSED');
    await fails(open.write('late'), 'LODE_CLOSED');
    await fails(open.commit(), 'LODE_CLOSED');
    assert.equal((await keysOf(bed.store)).filter((key) => key.includes('/data/')).length, 1);
    assert.equal(await textOfBlob(await bed.blobs(), id), 'kept');
  });

  onBoth('lets a read under way go on', async (bed) => {
    const id = await filled(bed);
    const dataset = await bed.records({ layout });
    const rows = dataset.records(id);
    assert.deepEqual((await rows.next()).value, { k: 'a' });
    await dataset.close();
    assert.deepEqual((await rows.next()).value, { k: 'b' });
  });

  onBoth('closes by await using', async (bed) => {
    const dataset = await bed.blobs();
    const writer = await dataset.streamWrite();
    await writer.write(big);
    await dataset[Symbol.asyncDispose]();
    assert.deepEqual(await keysOf(bed.store), []);
  });
});

type Writer = BlobWriter<CommittedSnapshot>;

/** Spec 11.4: each state by how it is reached, and what each call then does. Case 13. */
const ways: Readonly<Record<string, (writer: Writer, fail: () => void) => Promise<void>>> = {
  fresh: async () => {},
  committed: async (writer) => void (await writer.commit()),
  failed: async (writer, fail) => {
    fail();
    await fails(writer.commit(), 'LODE_PERMISSION_DENIED');
  },
  aborted: (writer) => writer.abort(),
  closed: (writer) => writer.close(),
};
const table: Readonly<
  Record<string, Readonly<Record<'write' | 'commit' | 'abort' | 'close', boolean>>>
> = {
  fresh: { write: true, commit: true, abort: true, close: true },
  committed: { write: false, commit: false, abort: false, close: true },
  failed: { write: false, commit: false, abort: true, close: true },
  aborted: { write: false, commit: false, abort: true, close: true },
  closed: { write: false, commit: false, abort: true, close: true },
};

void describe('a writer of bytes', () => {
  for (const [state, way] of Object.entries(ways)) {
    for (const call of ['write', 'commit', 'abort', 'close'] as const) {
      const allowed = table[state]?.[call] === true;
      onBoth(`${state}: ${call} is ${allowed ? 'allowed' : 'refused'}`, async (bed) => {
        let denied = false;
        const { store } = faultyStore(bed.store, {
          kind: 'deny',
          on: 'put',
          key: () => denied,
          times: Number.POSITIVE_INFINITY,
        });
        const writer = await (await bed.blobs({ store })).streamWrite();
        await writer.write('x');
        await way(writer, () => (denied = true));
        denied = false;
        const done = call === 'write' ? writer.write('y') : writer[call]();
        if (allowed) await done;
        else assert.match((await fails(done as Promise<unknown>, 'LODE_CLOSED')).message, /writer/);
        const visible = state === 'committed' || (state === 'fresh' && call === 'commit');
        const found = (await keysOf(bed.store)).length > 0;
        assert.equal(found, visible, 'what is in the store');
      });
    }
  }

  onBoth('keeps chunks in order that nobody waited for', async (bed) => {
    const dataset = await bed.blobs();
    for (const size of [1, 100, 100_000, 300_000]) {
      const writer = await dataset.streamWrite();
      const chunks = Array.from({ length: 12 }, (_, n) => new Uint8Array(size).fill(n));
      const pending = chunks.map((chunk) => writer.write(chunk));
      const { id } = await writer.commit();
      await Promise.all(pending);
      const [bytes] = await dataset.read(id);
      assert.equal(bytes?.length, 12 * size, `size ${size}`);
      assert.ok(
        bytes.every((byte, i) => byte === Math.floor(i / size)),
        `order at ${size}`,
      );
    }
  });

  onBoth('does not commit what is left when a source broke', async (bed) => {
    const reason = new Error('the source broke');
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10);
      throw reason;
    }
    const writer = await (await bed.blobs()).streamWrite();
    await assert.rejects(writer.write(broken()), (error) => error === reason);
    await assert.rejects(writer.commit(), (error) => error === reason);
    assert.deepEqual(await keysOf(bed.store), []);
  });

  onBoth('fails at once when the store gives up, and takes nothing with it', async (bed) => {
    const dataKey = (key: string): boolean => key.includes('/data/');
    const { store } = faultyStore(bed.store, { kind: 'deny', on: 'put', key: dataKey });
    const writer = await (await bed.blobs({ store })).streamWrite();
    await assert.rejects(async () => {
      for (let n = 0; n < 100; n++) await writer.write(big);
    }, /denied|injected/);
    await fails(writer.commit(), 'LODE_PERMISSION_DENIED');
    assert.deepEqual(await keysOf(bed.store), []);
  });

  onBoth('never deletes what another writer put under its key', async (bed) => {
    const conflict = { kind: 'false-conflict', on: 'put' } as const;
    const dataKey = (key: string): boolean => key.includes('/data/');
    for (const body of ['small', big]) {
      const { store } = faultyStore(bed.store, { ...conflict, key: dataKey });
      const deletes: string[] = [];
      const watched = watchDeletes(store, deletes);
      const writer = await (await bed.blobs({ store: watched })).streamWrite();
      await writer.write(body).catch(() => {});
      await fails(writer.commit(), 'LODE_ALREADY_EXISTS');
      assert.deepEqual(deletes, []);
    }
  });
});

function watchDeletes(store: Store, seen: string[]): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'delete') {
        return (keys: string | readonly string[]) => {
          seen.push(...(typeof keys === 'string' ? [keys] : keys));
          return target.delete(keys);
        };
      }
      const member = Reflect.get(target, name) as unknown;
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

void describe('an abort', () => {
  for (const [name, call] of Object.entries(calls)) {
    onBoth(`before ${name} asks nothing of the store`, async (bed) => {
      const id = await filled(bed);
      let requests = 0;
      const counted = new Proxy(bed.store, {
        get(target, member) {
          const value = Reflect.get(target, member) as unknown;
          if (typeof value !== 'function') return value;
          requests++;
          return value.bind(target) as unknown;
        },
      });
      const dataset = await bed.records({ layout, store: counted });
      requests = 0;
      const reason = { not: 'even an error' };
      const signal = AbortSignal.abort(reason);
      await assert.rejects(call(dataset, id, signal), (error) => error === reason);
      assert.equal(requests, 0);
    });

    // Every request of the call hangs in turn; the abort must end it with its reason, whatever it was waiting for.
    onBoth(`while ${name} waits for any of its requests`, async (bed) => {
      const id = await filled(bed);
      let hit = 0;
      for (let at = 0; ; at++) {
        // Opening reads the pointer: not part of the call.
        const faulty = faultyStore(
          bed.store,
          (['put', 'get', 'head', 'list'] as const).map((on) => ({
            kind: 'hang',
            on,
            at: at + (on === 'get' ? 1 : 0),
          })),
        );
        const dataset = await bed.records({ layout, store: faulty.store });
        const before = await keysOf(bed.store);
        const pointer = await textOf(bed.store, pointerKey);
        const stop = new AbortController();
        const reason = new Error('enough');
        const timer = bed.env.sleep(60_000, stop.signal).then(
          () => stop.abort(reason),
          () => {},
        );
        const outcome = await call(dataset, id, stop.signal).then(
          () => 'done',
          (error: unknown) => {
            if (error !== reason) throw error as Error;
            return 'aborted';
          },
        );
        stop.abort(reason);
        await timer;
        if (faulty.fired === 0) break;
        // Past the canonical manifest the snapshot is committed, and an abort only leaves copies missing (E-10).
        const committed = outcome === 'done' && bed.kind === 'compare-and-swap';
        assert.ok(outcome === 'aborted' || (committed && writes.includes(name)), `at ${at}`);
        hit++;
        if (writes.includes(name)) await assertUnharmed(bed, before, pointer, at);
      }
      assert.ok(hit > 0, 'no request was ever hit');
    });
  }

  onBoth('ends a commit that waits for another of the same handle', async (bed) => {
    const { store } = faultyStore(bed.store, {
      kind: 'hang',
      on: 'put',
      key: (key) => key === pointerKey,
    });
    const dataset = await bed.records({ store });
    const first = new AbortController();
    const hanging = dataset.write([{ n: 1 }], {}, { signal: first.signal });
    const second = new AbortController();
    const waiting = dataset.write([{ n: 2 }], {}, { signal: second.signal });
    await bed.env.sleep(10);
    second.abort('second');
    await assert.rejects(waiting, (error) => error === 'second');
    first.abort('first');
    await assert.rejects(hanging, (error) => error === 'first');
    const { manifest } = await dataset.write([{ n: 3 }]);
    assert.deepEqual(await dataset.read((await dataset.latest()).id), [{ n: 3 }]);
    assert.equal(manifest.rowCount, 1);
  });

  onBoth('ends a stream of bytes, which then leaves nothing', async (bed) => {
    for (const chunk of ['held back', big]) {
      const stop = new AbortController();
      const writer = await (await bed.blobs()).streamWrite({}, { signal: stop.signal });
      await writer.write(chunk);
      stop.abort('stop');
      await assert.rejects(writer.write('more'), (error) => error === 'stop');
      await assert.rejects(writer.commit(), (error) => error === 'stop');
      await writer.close();
      assert.deepEqual(await keysOf(bed.store), []);
    }
  });

  void it('ends a verification between two objects', async () => {
    const bed = bedOf('guarded put');
    const dataset = await bed.records();
    for (let n = 0; n < 3; n++) await dataset.write([{ n }]);
    const stop = new AbortController();
    const onProgress = (): void => stop.abort('seen enough');
    await assert.rejects(
      dataset.verify({ signal: stop.signal, onProgress }),
      (error) => error === 'seen enough',
    );
  });
});

/** An aborted write is not visible, or (where its outcome was open) visible whole; the next one works. */
async function assertUnharmed(
  bed: Bed,
  before: readonly string[],
  pointer: string | undefined,
  at: number,
): Promise<void> {
  const dataset = await bed.records({ layout });
  const { id } = await dataset.latest();
  const rows = await dataset.read(id);
  assert.equal(rows.length, 2, `after an abort at request ${at}`);
  if (id === pointer) {
    const keys = await keysOf(bed.store);
    const visible = keys.filter((key) => key.endsWith('manifest.json') && !before.includes(key));
    // Only complete manifests may be there, and only if nobody can take them for the head.
    for (const key of visible) assert.ok(JSON.parse((await textOf(bed.store, key)) ?? ''));
  }
  // What may be left is what an interrupted commit leaves, and repair completes.
  for (const { error } of (await dataset.verify()).problems) assert.match(error.message, /repair/);
  await dataset.repair();
  assert.deepEqual((await dataset.verify()).problems, []);
  assert.equal((await dataset.latest()).id, id);
  const next = await dataset.write([{ k: 'c' }, { k: 'd' }]);
  assert.equal(next.manifest.parentSnapshotId, id);
}

describe('a write whose manifest nobody could read', () => {
  onBoth('is refused, and the dataset goes on', async (bed) => {
    const few = await bed.records({
      layout: hive('day'),
      limits: { manifest: { filesMax: 2 } },
    });
    const days = (count: number): Row[] =>
      Array.from({ length: count }, (_, day) => ({ day: `${day}` }));
    const first = await few.write(days(2));
    await fails(few.write(days(3)), 'LODE_LIMIT_EXCEEDED');
    const short = await bed.records({
      layout: hive('day'),
      limits: { manifest: { bytesMax: 2_000 } },
    });
    await fails(short.write(days(1), { text: 'x'.repeat(2_000) }), 'LODE_LIMIT_EXCEEDED');
    assert.equal((await short.latest()).id, first.id);
    assert.deepEqual(await all(short.snapshots({ unreachable: true })), []);
    await short.write(days(1));
  });
});
