/** At risk: blocks that are as they were written and are called damaged, or the other way round, because somebody else committed on top. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Checksum } from '../../../src/encoding/index.ts';
import { crc32c, md5, sha256 } from '../../../src/encoding/index.ts';
import { block, blockKey, content, failure, onBoth, plant, put } from './bed.ts';

describe('digests of an algorithm that only its writer names', () => {
  const turned: Checksum = {
    name: 'turned',
    hasher() {
      const inner = md5().hasher();
      return {
        update: (bytes) => inner.update(bytes),
        digest: () => inner.digest().replace(/^(.{16})(.{16})$/, '$2$1'),
      };
    },
  };
  const hexOf = (bytes: Uint8Array): string => {
    const hasher = turned.hasher();
    hasher.update(bytes);
    return hasher.digest();
  };

  for (const own of [sha256(), crc32c(), md5(), false] as const) {
    onBoth(`keep their meaning below ours: ${own && own.name}`, async (bed) => {
      const bytes = content(0, 10);
      await bed.store.put(blockKey(0, 10), bytes);
      // As Go writes them with a checksum of its user's: bare, and named for the whole manifest.
      await plant(bed.store, '1700000000000000001', {
        blocks: [{ ...block(0, 10), checksum: hexOf(bytes) }],
        checksum_algorithm: 'turned',
      });
      const v = await put(await bed.volume({ checksum: own }), [20, 10]);
      const reader = await bed.volume({ checksums: [turned], verified: true });
      assert.deepEqual(await reader.readAt(v, 0, 10), bytes);
      assert.deepEqual(await reader.readAt(v, 20, 10), content(20, 10));
      for (const offset of own === false ? [0] : [0, 20]) {
        await bed.store.put(blockKey(offset, 10), 'altered!!!', { mode: 'overwrite' });
        await failure('LODE_CHECKSUM_MISMATCH', reader.readAt(v, offset, 10));
      }
    });
  }
});
