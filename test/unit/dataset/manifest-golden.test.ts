/** At risk: a manifest that Go wrote and this code would write otherwise. Every golden one is decoded and encoded again. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { utf8Decode, utf8Encode } from '../../../src/bytes/index.ts';
import type { Layout } from '../../../src/dataset/layout.ts';
import { defaultLayout, flat, hive } from '../../../src/dataset/layout.ts';
import { decodeManifest, encodeManifest } from '../../../src/dataset/manifest/index.ts';
import { goVectors } from '../../interop/vectors.ts';

const layouts: readonly Layout[] = [defaultLayout(), hive('any'), flat()];

it('manifests of Go decode, and encode to the same bytes', async () => {
  let manifests = 0;
  for (const vector of await goVectors()) {
    for (const [key, { text }] of Object.entries(vector.objects)) {
      if (!key.endsWith('/manifest.json') || text === undefined) continue;
      const address = layouts.map((layout) => layout.parseManifestKey(key)).find(Boolean);
      assert.ok(address !== undefined, key);
      const manifest = decodeManifest(utf8Encode(text), { key, ...address });
      // Go writes null where there are no files (E-1); we never do.
      // And it writes an invalid byte as an escape, which reads as U+FFFD and is written raw.
      const expected = text
        .replace('\n  "files": null,', '\n  "files": [],')
        .replaceAll('\\ufffd', '\ufffd');
      assert.equal(utf8Decode(encodeManifest(manifest)), expected, `${vector.case} ${key}`);
      manifests++;
    }
  }
  assert.ok(manifests >= 50, `${manifests} golden manifests`);
});

it('keys of Go parse to the layout that wrote them', async () => {
  for (const vector of await goVectors()) {
    const files = Object.keys(vector.objects).filter((key) => key.includes('/data/'));
    for (const key of files) {
      const partitions = new Set(layouts.map((layout) => layout.partitionOf(key)));
      assert.equal(partitions.size, key.includes('/partitions/') ? 2 : 1, key);
    }
  }
});
