/** At risk: data that Go wrote. Every golden directory is opened, read, verified and listed here as Go does it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { isLodeError, memoryStore, openReader } from '../../src/index.ts';
import type { LodeErrorCode, Store } from '../../src/index.ts';
import { codecOf, layoutOf, openOurs } from './open-ours.ts';
import type { Value } from './open-ours.ts';
import { plainFloats, tagged } from './records.ts';
import type { Row } from './records.ts';
import { goVectors, objectsOf } from './vectors.ts';
import type { GoContents, GoOutcome, GoVector } from './vectors.ts';

async function storeOf(vector: GoVector): Promise<Store> {
  const store = memoryStore();
  for (const [key, bytes] of objectsOf(vector))
    if (!key.endsWith('.lock')) await store.put(key, bytes);
  return store;
}

/** What we read in Go's terms: count, and as much of the content as the vector shows. */
function contents(vector: GoVector, values: readonly Value[], like: GoContents): GoContents {
  const { codec, schema = [] } = vector.dataset;
  const [first, last] = [values[0], values.at(-1)];
  if (first instanceof Uint8Array) {
    const sha256 = createHash('sha256').update(first).digest('hex');
    return like.sha256 === undefined
      ? { count: 1, records: [{ $bytes: Buffer.from(first).toString('base64') }] }
      : { count: 1, length: first.length, sha256 };
  }
  const rows = (values as Row[]).map((row) => (codec === 'parquet' ? tagged(schema, row) : row));
  if (like.records !== undefined) return { count: values.length, records: rows };
  if (like.first === undefined) return { count: values.length };
  return { count: values.length, first: rows[0], last: last === undefined ? last : rows.at(-1) };
}

function plain(vector: GoVector, read: GoContents): GoContents {
  if (vector.dataset.codec !== 'parquet') return read;
  return { ...read, ...(read.records && { records: (read.records as Row[]).map(plainFloats) }) };
}

async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const codes: Readonly<Record<string, LodeErrorCode>> = {
  ErrDatasetsNotModeled: 'LODE_DATASETS_NOT_MODELED',
};

/** The same list as Go, in any order, or the twin of its error. */
async function sameOutcome<T>(ours: Promise<T[]>, go: GoOutcome<readonly T[]>): Promise<void> {
  if (go.error === undefined) {
    assert.deepEqual(new Set(await ours), new Set(go.ok));
    return;
  }
  const code = codes[go.error.name];
  assert.ok(code !== undefined, go.error.name);
  await assert.rejects(ours, (error) => isLodeError(error, code));
}

describe('a directory that Go wrote', async () => {
  for (const vector of await goVectors()) {
    it(`${vector.case}: ${vector.about}`, async () => {
      const store = await storeOf(vector);
      // Reading takes no interest in partition keys, which is as well: Go allows names that we do not.
      const opened = { ...vector.dataset, keys: ['any'] };
      const dataset = await openOurs(store, opened);
      const ids = vector.snapshots.map(({ id }) => id);

      for (const { id, read, error } of vector.snapshots) {
        assert.ok(read !== undefined && error === undefined);
        const ours = await dataset.read(id);
        assert.deepEqual(contents(vector, ours, read), plain(vector, read));
      }
      assert.equal((await dataset.latest()).id, vector.latest.ok);
      const history = (await listed(dataset.snapshots())).map(({ id }) => id);
      assert.deepEqual(history, [...ids].reverse());
      // Versions before there were pointers left none: repair() makes one.
      const pointer = layoutOf(opened).pointerKey(vector.dataset.dataset);
      const lacks = (await store.head(pointer)) === undefined ? [pointer] : [];
      const { problems } = await dataset.verify();
      assert.deepEqual(
        problems.map(({ key }) => key),
        lacks,
      );

      const codec = codecOf(vector.dataset);
      const reader = await openReader({
        store,
        layout: layoutOf(opened),
        ...(codec && { codecs: [codec] }),
      });
      await sameOutcome(listed(reader.datasets()), vector.reader.datasets);
      // Empty writes poison Go's listings of snapshots (E-1); ours must stand them.
      const poisoned = vector.reader.manifests.error !== undefined;
      const manifests = (await listed(reader.manifests(vector.dataset.dataset))).map(
        ({ ref }) => ref.id,
      );
      const theirs = poisoned ? ids : (vector.reader.manifests.ok ?? []).map(({ id }) => id);
      for (const id of theirs) assert.ok(manifests.includes(id), `${id} is listed`);
      if (!poisoned)
        await sameOutcome(
          listed(reader.partitions(vector.dataset.dataset)),
          vector.reader.partitions,
        );
    });
  }
});
