/**
 * At risk: a volume that two implementations fill together. Go stages and commits, we resume and finish, and the reverse; all
 * that Go has written is read as Go reads it.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { utf8Decode } from '../../src/bytes/index.ts';
import { fsStore } from '../../src/fs.ts';
import {
  blake3,
  crc32c,
  isLodeError,
  md5,
  memoryStore,
  openVolume,
  sha256,
} from '../../src/index.ts';
import type { Checksum, Store, Volume, VolumeManifest } from '../../src/index.ts';
import { encodeManifest } from '../../src/volume/manifest/index.ts';
import { GoFailure, GoPeer, goPeer } from './go-peer.ts';
import type { GoSession } from './go-peer.ts';
import { GoVolume, placed } from './go-volume.ts';
import type { GoVolumeManifest, GoVolumeSpec } from './go-volume.ts';
import { goVolumeVectors, objectsOf } from './vectors.ts';
import type { GoVolumeVector } from './vectors.ts';

const peer = await goPeer();

/** Our manifest in Go's terms. */
function asGo(m: VolumeManifest): GoVolumeManifest {
  const blocks = [...m.blocks.from(0)].map(({ offset, length, checksum }) => ({
    offset,
    length,
    path: `volumes/${m.volumeId}/data/${offset}-${length}.bin`,
    ...(checksum === undefined ? {} : { checksum }),
  }));
  const { schemaName, formatVersion } = m;
  return Object.assign(
    { schema_name: schemaName, format_version: formatVersion },
    {
      volume_id: m.volumeId,
      snapshot_id: m.snapshotId,
      created_at: m.createdAt,
      metadata: m.metadata,
      total_length: m.totalLength,
      blocks,
      ...(m.parentSnapshotId && { parent_snapshot_id: m.parentSnapshotId }),
      ...(m.checksumAlgorithm && { checksum_algorithm: m.checksumAlgorithm }),
    },
  );
}

async function listed<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function storeOf(vector: GoVolumeVector): Promise<Store> {
  const store = memoryStore();
  for (const [key, bytes] of objectsOf(vector))
    if (!key.endsWith('.lock')) await store.put(key, bytes);
  return store;
}

describe('a volume that Go wrote', async () => {
  for (const vector of await goVolumeVectors()) {
    it(`${vector.case}: ${vector.about}`, async () => {
      const store = await storeOf(vector);
      if (vector.length > Number.MAX_SAFE_INTEGER) {
        await assert.rejects(openVolume(vector.volume, { store }), (error) =>
          isLodeError(error, 'LODE_MANIFEST_INVALID'),
        );
        return;
      }
      const volume = await openVolume(vector.volume, { store });
      assert.equal(volume.length, vector.length);
      for (const { id, manifest, reads } of vector.snapshots) {
        const ours = (await volume.snapshot(id)).manifest;
        assert.deepEqual(asGo(ours), manifest);
        const { text } = vector.objects[`volumes/vol/snapshots/${id}/manifest.json`] ?? {};
        assert.equal(utf8Decode(encodeManifest(ours)), text);
        for (const { offset, length, data, error } of reads) {
          const read = volume.readAt(id, offset, length, { verified: true });
          if (error === undefined)
            assert.deepEqual(await read, new Uint8Array(Buffer.from(data ?? '', 'base64')));
          else {
            assert.equal(error.name, 'ErrRangeMissing');
            await assert.rejects(read, (e) => isLodeError(e, 'LODE_RANGE_MISSING'));
          }
        }
      }
      assert.equal((await volume.latest()).id, vector.latest.ok);
      const ids = (await listed(volume.snapshots())).map(({ id }) => id);
      assert.deepEqual(ids, vector.snapshots.map(({ id }) => id).reverse());
    });

    it(`${vector.case}: finished by us`, async () => {
      if (vector.length > 1000) return;
      const volume = await openVolume(vector.volume, { store: await storeOf(vector) });
      const head = await volume.latest();
      const missing = volume.missing(head);
      const staged = await Promise.all(
        missing.map(({ offset, length }) => volume.stageWriteAt(offset, placed(offset, length))),
      );
      const done = missing.length === 0 ? head : await volume.commit(staged);
      assert.ok(done.complete);
      const whole = await volume.readAt(done, 0, volume.length);
      assert.deepEqual(whole, placed(0, volume.length));
    });
  }
});

const checksums: Readonly<Record<string, Checksum | false>> = {
  none: false,
  md5: md5(),
  sha256: sha256(),
  crc32c: crc32c(),
  blake3: blake3(),
};

describe('a volume shared with Go', { skip: 'missing' in peer ? peer.missing : false }, () => {
  let go: GoSession;
  let root: string;
  let store: Store;

  before(async () => {
    assert.ok(peer instanceof GoPeer);
    go = peer.serve();
    root = await mkdtemp(join(tmpdir(), 'lode-interop-'));
    store = fsStore(root, { durability: 'none' });
  });
  after(async () => {
    await go[Symbol.asyncDispose]();
    await rm(root, { recursive: true, force: true });
  });

  const length = 100;
  const open = (id: string, checksum: Checksum | false): Promise<Volume> =>
    openVolume(id, { store, length, checksum });
  const spec = (volume: string, more: Partial<GoVolumeSpec> = {}): GoVolumeSpec => ({
    root,
    volume,
    length,
    ...more,
  });

  /** Both sides see the same history, manifests member for member, and the same bytes and holes. */
  async function agree(ours: Volume, theirs: GoVolume): Promise<void> {
    const snapshots = await listed(ours.snapshots());
    const seen = await theirs.snapshots();
    assert.deepEqual(
      snapshots.map(({ manifest }) => asGo(manifest)).reverse(),
      seen.map(({ manifest }) => manifest),
    );
    assert.equal((await theirs.latest()).id, (await ours.latest()).id);
    for (const snapshot of snapshots) {
      for (const { offset, length: count } of ours.coverage(snapshot)) {
        const bytes = placed(offset, count);
        assert.deepEqual(await ours.readAt(snapshot, offset, count, { verified: true }), bytes);
        assert.deepEqual(await theirs.read(snapshot.id, offset, count), bytes);
      }
      for (const { offset, length: count } of ours.missing(snapshot)) {
        await assert.rejects(
          theirs.read(snapshot.id, offset, count),
          (error) => error instanceof GoFailure && error.sentinel === 'ErrRangeMissing',
        );
      }
    }
  }

  for (const [name, checksum] of Object.entries(checksums)) {
    for (const goChecksum of ['none', 'md5'] as const) {
      it(`in turns, ours with ${name}, theirs with ${goChecksum}`, async () => {
        const id = `${name}-${goChecksum}`;
        const ours = await open(id, checksum);
        const theirs = new GoVolume(go, spec(id, { checksum: goChecksum }));

        const first = await ours.commit([await ours.stageWriteAt(0, placed(0, 10))], { n: 1 });
        const block = await theirs.stage(40, placed(40, 20));
        const second = await theirs.commit([block], { by: 'go', note: '<é>\u2028' });
        assert.equal(second.manifest.parent_snapshot_id, first.id);
        const third = await ours.commit([await ours.stageWriteAt(60, placed(60, 5))]);
        assert.equal(third.manifest.parentSnapshotId, second.id);
        await agree(ours, theirs);
      });
    }
  }

  it('begun by Go, which dies with blocks staged; finished by us', async () => {
    const theirs = new GoVolume(go, spec('begun', { checksum: 'md5' }));
    await theirs.commit([await theirs.stage(20, placed(20, 20))]);
    // Staged and never committed: one as we are going to stage it, one of a source that has changed since.
    await theirs.stage(0, placed(0, 20));
    await theirs.stage(40, placed(1000, 60));

    const ours = await open('begun', md5());
    let adopted = 0;
    const staged = await Promise.all(
      ours.missing(await ours.latest()).map(({ offset, length: count }) =>
        ours.stageWriteAt(offset, placed(offset, count), {
          onProgress: (progress) => (adopted += progress.adopted),
        }),
      ),
    );
    assert.equal(adopted, 1);
    const { complete } = await ours.commit(staged);
    assert.ok(complete);
    await agree(ours, theirs);
  });

  it('begun by us, handed to Go as JSON, finished by it', async () => {
    const ours = await open('handed', md5());
    const staged = await ours.stageWriteAt(0, placed(0, 50));
    const theirs = new GoVolume(go, spec('handed', { checksum: 'md5' }));
    const sent = JSON.parse(JSON.stringify(staged.blocks)) as typeof staged.blocks;
    const blocks = sent.map(({ checksum, ...block }) => ({
      ...block,
      ...(checksum === undefined ? {} : { checksum }),
    }));
    await theirs.commit(blocks);
    await theirs.commit([await theirs.stage(50, placed(50, 50))]);
    assert.ok((await ours.latest()).complete);
    await agree(ours, theirs);
  });

  it('staged by Go, committed by us', async () => {
    const theirs = new GoVolume(go, spec('taken', { checksum: 'md5' }));
    const blocks = [await theirs.stage(90, placed(90, 10)), await theirs.stage(0, placed(0, 10))];
    const ours = await open('taken', sha256());
    await ours.commit(blocks, { by: 'us' });
    await agree(ours, theirs);
  });

  it('overlaps and conflicts, told by either as its own kind of error', async () => {
    const ours = await open('strife', md5());
    const warm = new GoVolume(go, spec('strife', { checksum: 'md5' }), 'strife');
    await warm.commit([await warm.stage(0, placed(0, 10))]);
    const over = await warm.stage(15, placed(15, 10));
    await ours.commit([await ours.stageWriteAt(20, placed(20, 10))]);
    await assert.rejects(
      warm.commit([over]),
      (error) => error instanceof GoFailure && error.sentinel === 'ErrSnapshotConflict',
    );
    await warm.latest();
    await assert.rejects(
      warm.commit([over]),
      (error) => error instanceof GoFailure && error.sentinel === 'ErrOverlappingBlocks',
    );
    await assert.rejects(ours.commit([over]), (error) =>
      isLodeError(error, 'LODE_OVERLAPPING_BLOCKS'),
    );
    const next = await warm.stage(30, placed(30, 10));
    await warm.commit([next]);
    // Ours goes on top by itself.
    await ours.commit([await ours.stageWriteAt(10, placed(10, 5))]);
    await agree(ours, warm);
  });
});
