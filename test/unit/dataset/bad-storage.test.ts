/** At risk: silence, an untyped error or half a snapshot, where what is stored is wrong or the storage fails. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryDisk } from '../../../src/disk/memory.ts';
import { openDataset } from '../../../src/dataset/index.ts';
import { jsonl, sha256 } from '../../../src/encoding/index.ts';
import type { LodeErrorCode } from '../../../src/errors.ts';
import { isLodeError } from '../../../src/errors.ts';
import { fsStore } from '../../../src/fs.ts';
import { faultyDisk, limitedStore } from '../../../src/testing/index.ts';
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
  typed,
} from './bed.ts';
import type { Row } from './bed.ts';

void describe('a pointer', () => {
  const texts: readonly (readonly [string, string | Uint8Array])[] = [
    ['a slash', 'a/b'],
    ['a path', '../../etc/passwd'],
    ['control characters', 'a\0b'],
    ['"latest"', 'latest'],
    ['bytes that are not UTF-8', new Uint8Array([0xff, 0xfe])],
    ['2,000 characters', 'x'.repeat(2_000)],
    ['1,000 characters', 'x'.repeat(1_000)],
    ['500 characters', 'x'.repeat(500)],
    ['16 MB', new Uint8Array(16 * 2 ** 20).fill(0x31)],
    ['JSON', '{"id": 1}\n{"id": 2}'],
  ];
  for (const [name, text] of texts) {
    onBoth(`that holds ${name} is named, or fenced when it could be an id`, async (bed) => {
      const dataset = await bed.records();
      const first = await dataset.write([{ n: 1 }]);
      await replace(bed.store, pointerKey, text);
      const code = await typed((await bed.records().catch(() => dataset)).latest());
      if (code === 'fine') {
        assert.equal((await (await bed.records()).latest()).id, first.id);
        return;
      }
      assert.ok(['LODE_INVALID_FORMAT', 'LODE_INVALID_KEY'].includes(code), code);
      const error = await fails(
        bed.records().then((d) => d.latest()),
        code,
      );
      assert.ok(error.details.key);
      assert.ok(error.message.length < 1_000);
      assert.deepEqual(await dataset.read(first.id), [{ n: 1 }], 'old snapshots stay readable');
      assert.notEqual(await typed(bed.records().then((d) => d.write([{ n: 2 }]))), 'fine');
    });
  }

  onBoth('with white space around its id is read, and replaced by the next commit', async (bed) => {
    const { id } = await (await bed.records()).write([{ n: 1 }]);
    await replace(bed.store, pointerKey, ` \n${id}\r\n`);
    const dataset = await bed.records();
    assert.equal((await dataset.latest()).id, id);
    const second = await dataset.write([{ n: 2 }]);
    assert.equal(second.manifest.parentSnapshotId, id);
    assert.equal(await textOf(bed.store, pointerKey), second.id);
  });

  onBoth('that is empty or white is one that is missing', async (bed) => {
    for (const text of ['', ' \n']) {
      const dataset = await bed.records();
      const { id } = await (
        await dataset.latest().then(
          () => dataset,
          () => dataset,
        )
      ).write([{ n: 1 }]);
      await replace(bed.store, pointerKey, text);
      const other = await bed.records();
      assert.equal((await other.latest()).id, id);
      assert.deepEqual(await other.repair({ dryRun: true }), [pointerKey]);
      assert.equal(await textOf(bed.store, pointerKey), text);
      assert.deepEqual(await other.repair(), [pointerKey]);
      assert.equal(await textOf(bed.store, pointerKey), id);
      await replace(bed.store, pointerKey, text);
      const next = await (await bed.records()).write([{ n: 2 }]);
      assert.equal(next.manifest.parentSnapshotId, id);
    }
  });

  void it('of 1 GB is not read', async () => {
    const bed = bedOf('guarded put');
    const huge = new Proxy(bed.store, {
      get(target, name) {
        if (name !== 'get') return Reflect.get(target, name) as unknown;
        return async (key: string) => ({
          key,
          size: 2 ** 30,
          etag: 'e',
          lastModifiedMs: 0,
          range: { offset: 0, length: 2 ** 30 },
          stream: () => assert.fail('read'),
          bytes: () => assert.fail('read'),
          cancel: async () => {},
        });
      },
    });
    const error = await fails(bed.records({ store: huge }), 'LODE_INVALID_FORMAT');
    assert.equal(error.details.key, pointerKey);
  });
});

void describe('a manifest', () => {
  onBoth('of another dataset or snapshot is refused, by reads and commits', async (bed) => {
    const other = await openDataset<Row>('other', {
      store: bed.store,
      env: bed.env,
      codec: jsonl(),
    });
    const theirs = await other.write([{ n: 1 }]);
    const theirText = await textOf(
      bed.store,
      `datasets/other/snapshots/${theirs.id}/manifest.json`,
    );
    const first = await (await bed.records()).write([{ n: 1 }]);
    const { id } = await (await bed.records()).write([{ n: 2 }]);
    const own = await textOf(bed.store, manifestKey(first.id));
    for (const text of [
      theirText,
      own,
      'not json',
      '',
      '{}',
      '[]',
      'null',
      '1e999',
      `{"a":${'['.repeat(100_000)}`,
    ]) {
      await replace(bed.store, manifestKey(id), text ?? '');
      const dataset = await bed.records();
      for (const call of [
        () => dataset.latest(),
        () => dataset.read(id),
        () => dataset.write([{ n: 3 }]),
        () => all(dataset.snapshots()),
      ]) {
        const error = await (call() as Promise<unknown>).then(
          () => assert.fail('accepted'),
          (e: unknown) => e,
        );
        assert.ok(
          isLodeError(error, 'LODE_MANIFEST_INVALID', 'LODE_LIMIT_EXCEEDED'),
          String(error),
        );
        assert.equal(error.details.key, manifestKey(id));
      }
      const { problems } = await dataset.verify();
      assert.ok(problems.some(({ key }) => key === manifestKey(id)));
    }
  });
});

void describe('storage', () => {
  const onDisk = async (
    disk: ReturnType<typeof memoryDisk>,
    root: string,
  ): Promise<LodeErrorCode | 'fine'> =>
    typed(
      openDataset<Row>('ds', {
        store: fsStore(root, { disk }),
        codec: jsonl(),
        checksum: sha256(),
        writers: 'process',
      }).then((dataset) => dataset.write([{ n: 1 }])),
    );

  void it('that is missing, or a file, is named when the dataset is opened', async () => {
    const disk = memoryDisk();
    await disk.makeDirectory('/root');
    const file = await disk.open('/root/file', 'create');
    await file.close();
    for (const root of ['/nowhere', '/root/file']) {
      const store = fsStore(root, { disk });
      const error = await fails(
        openDataset('ds', { store, codec: jsonl() }),
        'LODE_NOT_FOUND',
        'LODE_INVALID_ARGUMENT',
        'LODE_UNSUPPORTED',
      );
      assert.match(error.message, new RegExp(root));
    }
  });

  // Full at any write, once or from then on: typed, nothing visible, and the next attempt on a sane disk works.
  void it('that is full at any point loses nothing and shows nothing', async () => {
    let failed = 0;
    for (const kind of ['ENOSPC', 'EDQUOT', 'EIO'] as const) {
      for (const times of ['once', 'ever'] as const) {
        for (let at = 0; ; at++) {
          const memory = memoryDisk();
          await memory.makeDirectory('/root');
          const first = await (
            await openDataset<Row>('ds', {
              store: fsStore('/root', { disk: memory }),
              writers: 'process',
              codec: jsonl(),
            })
          ).write([{ n: 1 }]);
          const disk = faultyDisk(memory, { on: 'write', at, kind, times });
          const code = await onDisk(disk, '/root');
          if (disk.failures === 0) break;
          failed++;
          const sane = await openDataset<Row>('ds', {
            store: fsStore('/root', { disk: memory }),
            writers: 'process',
            codec: jsonl(),
          });
          const { id, manifest } = await sane.latest();
          assert.deepEqual(await sane.read(first.id), [{ n: 1 }]);
          if (code === 'fine') assert.equal(manifest.parentSnapshotId, first.id);
          else assert.equal(id, first.id, `${kind} at ${at}: ${code}, and yet visible`);
          assert.deepEqual((await sane.verify()).problems, []);
          const next = await sane.write([{ n: 2 }]);
          assert.equal(next.manifest.parentSnapshotId, id);
        }
      }
    }
    assert.ok(failed >= 12, `${failed} failures`);
  });

  void it('that cannot tell two writers apart is refused for writing, unless vouched for', async () => {
    const bed = bedOf('guarded put');
    for (const conditionalWrites of ['none', 'process'] as const) {
      const store = limitedStore(bed.store, { conditionalWrites, name: 'weak' });
      const dataset = await bed.records({ store });
      const error = await fails(dataset.write([{ n: 1 }]), 'LODE_CONDITIONS_UNSUPPORTED');
      assert.equal(error.details.actual, conditionalWrites);
      await fails(dataset.repair(), 'LODE_CONDITIONS_UNSUPPORTED');
      assert.deepEqual(await keysOf(bed.store), []);
    }
  });
});
