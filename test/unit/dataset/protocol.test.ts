/** At risk: a lost update, a late writer that lands behind the head, an observer that mistakes a commit in flight. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hive } from '../../../src/dataset/index.ts';
import type { CommittedSnapshot, Dataset } from '../../../src/dataset/index.ts';
import { isLodeError } from '../../../src/errors.ts';
import { faultyStore } from '../../../src/testing/index.ts';
import {
  all,
  bedOf,
  fails,
  keysOf,
  manifestKey,
  onBoth,
  pointerKey,
  replace,
  textOf,
} from './bed.ts';
import type { Row } from './bed.ts';
import { stalled } from './stalled.ts';

const ids = async (dataset: Dataset<Row>): Promise<string[]> =>
  (await all(dataset.snapshots())).map(({ id }) => id);

void describe('expectedParent', () => {
  onBoth('is the only snapshot a write may follow', async (bed) => {
    const a = await bed.records();
    const first = await a.write([{ n: 1 }], {}, { expectedParent: null });
    const refused = await fails(
      a.write([{ n: 2 }], {}, { expectedParent: null }),
      'LODE_SNAPSHOT_CONFLICT',
    );
    assert.deepEqual(
      [refused.details.expectedHead, refused.details.actualHead],
      [undefined, first.id],
    );
    const second = await a.write([{ n: 2 }], {}, { expectedParent: first.id });
    assert.equal(second.manifest.parentSnapshotId, first.id);
    // A new handle, and one that knows better, are both held to it.
    for (const dataset of [await bed.records(), a]) {
      const write = dataset.write([{ n: 3 }], {}, { expectedParent: first.id });
      const error = await fails(write, 'LODE_SNAPSHOT_CONFLICT');
      assert.equal(error.details.actualHead, second.id);
    }
    await fails(
      (await bed.records()).write([], {}, { expectedParent: 'never was' }),
      'LODE_SNAPSHOT_CONFLICT',
    );
    assert.deepEqual(await ids(a), [second.id, first.id]);
  });

  onBoth('goes on top of a snapshot that came since this handle looked', async (bed) => {
    const a = await bed.records();
    await a.write([{ n: 1 }]);
    const second = await (await bed.records()).write([{ n: 2 }]);
    const third = await a.write([{ n: 3 }], {}, { expectedParent: second.id });
    assert.equal(third.manifest.parentSnapshotId, second.id);
    assert.equal(third.retries, 0);
  });

  onBoth(
    'is compared with the head as it is, not as it was when the handle was opened',
    async (bed) => {
      const first = await (await bed.records()).write([{ n: 1 }]);
      const b = await bed.records();
      const second = await (await bed.records()).write([{ n: 2 }]);
      const third = await b.write([{ n: 3 }], {}, { expectedParent: second.id });
      assert.equal(third.manifest.parentSnapshotId, second.id);
      assert.notEqual(first.id, second.id);
    },
  );

  onBoth('is not weakened by retries', async (bed) => {
    const a = await bed.records({ retry: { attempts: 5 } });
    const first = await a.write([{ n: 1 }]);
    await (await bed.records()).write([{ n: 2 }]);
    const write = a.write([{ n: 3 }], {}, { expectedParent: first.id });
    await fails(write, 'LODE_SNAPSHOT_CONFLICT');
  });

  onBoth('refused leaves nothing, and leaves the handle as blind as it was', async (bed) => {
    const a = await bed.records();
    const first = await a.write([{ n: 1 }]);
    await (await bed.records()).write([{ n: 2 }]);
    const before = await keysOf(bed.store);
    const write = a.write([{ n: 3 }], {}, { expectedParent: first.id });
    await fails(write, 'LODE_SNAPSHOT_CONFLICT');
    assert.deepEqual(await keysOf(bed.store), before);
    // It has not looked: a write without expectedParent still loses, instead of going on top of what nobody read.
    await fails(a.write([{ n: 3 }]), 'LODE_SNAPSHOT_CONFLICT');
  });

  onBoth('holds for streams too', async (bed) => {
    const a = await bed.records();
    const first = await a.write([{ n: 1 }]);
    await fails(
      a.streamWriteRecords([{ n: 2 }], {}, { expectedParent: null }),
      'LODE_SNAPSHOT_CONFLICT',
    );
    const blobs = await bed.blobs();
    const writer = await blobs.streamWrite({}, { expectedParent: null });
    await writer.write('x');
    await fails(writer.commit(), 'LODE_SNAPSHOT_CONFLICT');
    assert.equal((await a.latest()).id, first.id);
  });
});

// Found by R17.
void describe('a handle that saw no pointer', () => {
  onBoth('does not take one that came and was lost again for none at all', async (bed) => {
    const a = await bed.records();
    await fails(a.latest(), 'LODE_NO_SNAPSHOTS');
    const first = await (await bed.records()).write([{ n: 1 }]);
    await bed.store.delete(pointerKey);
    await fails(a.write([{ n: 2 }]), 'LODE_SNAPSHOT_CONFLICT');
    await a.latest();
    assert.equal((await a.write([{ n: 2 }])).manifest.parentSnapshotId, first.id);
  });
});

void describe('a failed commit', () => {
  onBoth('that wrote nothing does not make the writer forget what it knew', async (bed) => {
    const a = await bed.records();
    await a.write([{ n: 1 }]);
    await (await bed.records()).write([{ n: 2 }]);
    await fails(
      a.write([{ n: 3 }], { bad: Number.NaN }),
      'LODE_INVALID_ARGUMENT',
      'LODE_INVALID_RECORD',
    );
    await fails(a.write([{ n: 3 }]), 'LODE_SNAPSHOT_CONFLICT');
  });

  // E-4: what cannot be a manifest is refused before anything is visible.
  onBoth('by its metadata changes nothing at all', async (bed) => {
    const a = await bed.records();
    const first = await a.write([{ n: 1 }]);
    const before = await keysOf(bed.store);
    const cyclic: Row = {};
    cyclic['self'] = cyclic;
    const bad = [
      { x: Number.NaN },
      { x: Infinity },
      cyclic,
      { x: () => 1 },
      { x: Symbol('s') },
      'text',
      7,
      [],
    ];
    for (const metadata of bad) {
      await fails(
        a.write([{ n: 2 }], metadata as Row),
        'LODE_INVALID_ARGUMENT',
        'LODE_INVALID_RECORD',
      );
    }
    await fails(a.write([], { 'lode.fence': true }), 'LODE_INVALID_ARGUMENT');
    assert.deepEqual(await keysOf(bed.store), before);
    assert.equal(await textOf(bed.store, pointerKey), first.id);
    await a.write([{ n: 2 }]);
  });

  void it('names the failure of a manifest copy, and leaves the head alone', async () => {
    const bed = bedOf('guarded put');
    const copy = (key: string): boolean => key.includes('partitions') && key.endsWith('.json');
    const layout = hive('k');
    const { id } = await (await bed.records({ layout })).write([{ k: 'a' }]);
    for (const kind of ['deny', 'fail'] as const) {
      const { store } = faultyStore(bed.store, { kind, on: 'put', key: copy, times: Infinity });
      const dataset = await bed.records({ store, layout });
      const code = kind === 'deny' ? 'LODE_PERMISSION_DENIED' : 'LODE_UNAVAILABLE';
      await fails(dataset.write([{ k: 'a' }]), code);
      assert.equal(await textOf(bed.store, pointerKey), id);
    }
  });

  // Without a pointer the manifest shows, so that a refusal would not be true.
  void it('of a copy in the first commit of all is an open question, which resolve() closes', async () => {
    const bed = bedOf('guarded put');
    const copy = (key: string): boolean => key.includes('partitions') && key.endsWith('.json');
    const { store } = faultyStore(bed.store, { kind: 'deny', on: 'put', key: copy });
    const dataset = await bed.records({ store, layout: hive('k') });
    const error = await dataset.write([{ k: 'a' }]).catch((thrown: unknown) => thrown);
    assert.ok(isLodeError(error, 'LODE_WRITE_UNCERTAIN'));
    assert.equal(await error.details.resolve(), 'landed');
    assert.equal((await ids(dataset)).length, 1);
    assert.deepEqual((await dataset.verify()).problems, []);
  });

  void it('past the commit point is none: missing copies are told, and repaired', async () => {
    const bed = bedOf('compare-and-swap');
    const copy = (key: string): boolean => key.includes('k=b') && key.endsWith('.json');
    const { store } = faultyStore(bed.store, { kind: 'deny', on: 'put', key: copy });
    const layout = hive('k');
    const dataset = await bed.records({ store, layout });
    const { id, missingCopies } = await dataset.write([{ k: 'a' }, { k: 'b' }]);
    const key = layout.manifestKey('ds', id, 'k=b');
    assert.deepEqual(missingCopies, [key]);
    assert.equal((await dataset.latest()).id, id);
    assert.deepEqual(
      (await dataset.verify()).problems.map((problem) => problem.key),
      [key],
    );
    assert.deepEqual(await dataset.repair({ dryRun: true }), [key]);
    assert.equal(await bed.store.head(key), undefined, 'dryRun wrote');
    assert.deepEqual(await dataset.repair(), [key]);
    assert.deepEqual((await dataset.verify()).problems, []);
    assert.deepEqual(await dataset.repair(), []);
  });
});

void describe('writers at once', () => {
  onBoth('through one handle do not race themselves', async (bed) => {
    const dataset = await bed.records();
    const made = await Promise.all(Array.from({ length: 12 }, (_, n) => dataset.write([{ n }])));
    const chain = await ids(dataset);
    assert.equal(chain.length, 12);
    assert.deepEqual(new Set(chain), new Set(made.map(({ id }) => id)));
    assert.equal(
      made.reduce((sum, { retries }) => sum + retries, 0),
      0,
    );
  });

  onBoth('through eight handles with retries lose nothing', async (bed) => {
    const retry = { attempts: 50, baseDelayMs: 1, maxDelayMs: 20 };
    const writer = async (n: number): Promise<CommittedSnapshot[]> => {
      const dataset = await bed.records({ retry });
      const made: CommittedSnapshot[] = [];
      for (let i = 0; i < 5; i++) made.push(await dataset.write([{ n, i }]));
      return made;
    };
    const made = (await Promise.all(Array.from({ length: 8 }, (_, n) => writer(n)))).flat();
    const dataset = await bed.records();
    const chain = await ids(dataset);
    assert.deepEqual(new Set(chain), new Set(made.map(({ id }) => id)));
    assert.deepEqual([...chain].sort().reverse(), chain, 'ids grow along the history');
    for (const { id } of made) assert.equal((await dataset.read(id)).length, 1);
    assert.ok(
      made.some(({ retries }) => retries > 0),
      'there was no race',
    );
    assert.deepEqual((await dataset.verify()).problems, []);
    assert.equal((await all(dataset.records({ since: undefined }))).length, 40);
  });

  onBoth('without retries: exactly one wins', async (bed) => {
    const handles = await Promise.all(Array.from({ length: 8 }, () => bed.records()));
    await handles[0]?.write([{ n: 0 }]);
    for (const handle of handles) await handle.latest();
    const results = await Promise.allSettled(handles.map((handle, n) => handle.write([{ n }])));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const result of results) {
      if (result.status === 'rejected')
        await fails(Promise.reject(result.reason as Error), 'LODE_SNAPSHOT_CONFLICT');
    }
    const data = (await keysOf(bed.store)).filter((key) => key.includes('/data/'));
    assert.equal(data.length, 2, 'losers left their data');
  });
});

void describe('where the pointer moves first', () => {
  const cas = (): ReturnType<typeof bedOf> => bedOf('compare-and-swap');

  void it('a slow writer that was fenced is told so, and nothing of it shows', async () => {
    const bed = cas();
    const first = await (await bed.records()).write([{ n: 1 }]);
    // The manifest of A takes longer than anybody waits.
    const slow = stalled(bed.store, (key) => key.endsWith('manifest.json'));
    const a = await bed.records({ store: slow.store });
    await a.latest();
    const late = a.write([{ by: 'a' }]);
    const lost = fails(late, 'LODE_FENCED');
    await slow.reached;
    const aId = (await textOf(bed.store, pointerKey)) ?? '';
    assert.notEqual(aId, first.id);

    const b = await bed.records();
    const started = bed.env.elapsedMs;
    const second = await b.write([{ by: 'b' }]);
    assert.ok(bed.env.elapsedMs - started >= 5_000, 'fenced without waiting');
    assert.equal(second.manifest.parentSnapshotId, first.id);
    slow.go();
    const error = await lost;
    assert.equal(error.kind, 'closed');
    assert.deepEqual(await ids(b), [second.id, first.id]);
    assert.deepEqual(await all(b.snapshots({ unreachable: true })), []);
    assert.deepEqual((await b.verify()).problems, []);
    // And it may go on: it looks again.
    const third = await a.write([{ by: 'a' }]);
    assert.equal(third.manifest.parentSnapshotId, second.id);
  });

  void it('a slow writer that was fenced and may retry commits again under a new id', async () => {
    const bed = cas();
    await (await bed.records()).write([{ n: 1 }]);
    const slow = stalled(bed.store, (key) => key.endsWith('manifest.json'));
    const a = await bed.records({ store: slow.store, retry: { attempts: 2 } });
    await a.latest();
    const late = a.write([{ by: 'a' }]);
    await slow.reached;
    const second = await (await bed.records()).write([{ by: 'b' }]);
    slow.go();
    const third = await late;
    assert.equal(third.manifest.parentSnapshotId, second.id);
    assert.equal(third.retries, 1);
    assert.deepEqual(await a.read(third.id), [{ by: 'a' }]);
  });

  void it('a manifest that comes while another writer is about to fence it is taken for what it is', async () => {
    const bed = cas();
    await (await bed.records()).write([{ n: 1 }]);
    const slow = stalled(bed.store, (key) => key.endsWith('manifest.json'));
    const late = (await bed.records({ store: slow.store })).write([{ by: 'a' }]);
    await slow.reached;
    const b = (await bed.records()).write([{ by: 'b' }]);
    await bed.env.sleep(3_000);
    slow.go();
    const [a, second] = await Promise.all([late, b]);
    assert.equal(second.manifest.parentSnapshotId, a.id);
  });

  void it('readers between pointer and manifest see the snapshot before, or wait for the new one', async () => {
    const bed = cas();
    const first = await (await bed.records()).write([{ n: 1 }]);
    const slow = stalled(bed.store, (key) => key.endsWith('manifest.json'));
    const late = (await bed.records({ store: slow.store })).write([{ n: 2 }]);
    await slow.reached;
    const id = (await textOf(bed.store, pointerKey)) ?? '';
    await fails((await bed.records()).snapshot(id), 'LODE_NOT_FOUND');
    await fails((await bed.records()).read(id), 'LODE_NOT_FOUND');
    const seen = (await bed.records()).latest();
    await bed.env.sleep(1_000);
    slow.go();
    assert.equal((await seen).id, (await late).id);
    assert.notEqual((await seen).id, first.id);
  });

  void it('half a manifest is waited for, then named, never skipped', async () => {
    const bed = cas();
    const dataset = await bed.records();
    await dataset.write([{ n: 1 }]);
    const { id } = await dataset.write([{ n: 2 }]);
    const whole = (await textOf(bed.store, manifestKey(id))) ?? '';
    await replace(bed.store, manifestKey(id), whole.slice(0, 100));
    const seen = (await bed.records()).latest();
    await bed.env.sleep(1_000);
    await replace(bed.store, manifestKey(id), whole);
    assert.equal((await seen).id, id);
    await replace(bed.store, manifestKey(id), whole.slice(0, 100));
    const error = await fails((await bed.records()).latest(), 'LODE_MANIFEST_INVALID');
    assert.equal(error.details.key, manifestKey(id));
    await fails((await bed.records()).write([{ n: 3 }]), 'LODE_MANIFEST_INVALID');
  });
});
