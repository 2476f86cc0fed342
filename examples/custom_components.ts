/** Components of your own: a codec, a compressor and a checksum, each an object of a few lines. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Duplex } from 'node:stream';
import { createBrotliCompress, createBrotliDecompress } from 'node:zlib';
import { openDataset } from 'lode';
import type { Checksum, Codec, Compressor } from 'lode';
import { fsStore } from 'lode/fs';
import { temporaryDirectory } from './temporary.ts';

/** Plain text, one line a record. */
const lines: Codec<string> = {
  name: 'lines',
  streaming: true,
  encoder: () => ({
    write: (line) => new TextEncoder().encode(`${line}\n`),
    finish: () => new Uint8Array(0),
  }),
  async *decode(file) {
    let rest = '';
    const text = new TextDecoder();
    for await (const chunk of file.stream()) {
      const parts = (rest + text.decode(chunk, { stream: true })).split('\n');
      rest = parts.pop() ?? '';
      yield* parts;
    }
  },
};

const brotli: Compressor = {
  name: 'brotli',
  extension: '.br',
  compress: (chunks) => Duplex.from(chunks).pipe(createBrotliCompress()),
  // A real one would stop at `limits.bytesMax`.
  decompress: (chunks) => Duplex.from(chunks).pipe(createBrotliDecompress()),
};

const sha512: Checksum = {
  name: 'sha512',
  hasher() {
    const hash = createHash('sha512');
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') };
  },
};

await using directory = await temporaryDirectory();
const log = await openDataset('log', {
  store: fsStore(directory.path),
  codec: lines,
  compressor: brotli,
  checksum: sha512,
});
const { id, manifest } = await log.write(['first line', 'second line']);
assert.deepEqual(await log.read(id), ['first line', 'second line']);
console.log(
  manifest.codec,
  manifest.compressor,
  manifest.checksumAlgorithm,
  manifest.files[0]?.path,
);
