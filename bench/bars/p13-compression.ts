/**
 * P13: compressed write and read against the platform's own streams at the same level, gzip always, zstd where Node has
 * it. Elsewhere zstd is WebAssembly and is printed beside the platform's gzip, without a bar.
 *
 * Once for the compressor alone, once streamed into and out of a dataset in memory, where both sides also take a SHA-256.
 */
import { createHash } from 'node:crypto';
import { createGunzip, createGzip } from 'node:zlib';
import * as zlib from 'node:zlib';
import type { Transform } from 'node:stream';
import type { Compressor } from '../../src/encoding/compressor.ts';
import { gzip, zstd } from '../../src/encoding/index.ts';
import { memoryStore, openDataset } from '../../src/index.ts';
import type { Bar, BarContext, Contestant } from '../harness.ts';
import { compare, heldTo } from '../harness.ts';
import { sampleRows } from '../rows.ts';

const barRatio = 0.85;

/** The platform's streams, with the chunk size that makes them fast. */
interface Raw {
  compressor(): Transform;
  decompressor(): Transform;
}

const rawGzip: Raw = {
  compressor: () => createGzip({ level: 6, chunkSize: 65_536 }),
  decompressor: () => createGunzip({ chunkSize: 262_144 }),
};

interface ZstdStreams {
  createZstdCompress(options: object): Transform;
  createZstdDecompress(options: object): Transform;
}

const rawZstd: Raw | undefined =
  'createZstdCompress' in zlib
    ? {
        compressor: () =>
          (zlib as unknown as ZstdStreams).createZstdCompress({ chunkSize: 65_536 }),
        decompressor: () =>
          (zlib as unknown as ZstdStreams).createZstdDecompress({ chunkSize: 262_144 }),
      }
    : undefined;

async function throughRaw(
  transform: Transform,
  chunks: readonly Uint8Array[],
  each?: (chunk: Uint8Array) => void,
): Promise<number> {
  let size = 0;
  transform.on('data', (chunk: Uint8Array) => {
    size += chunk.length;
    each?.(chunk);
  });
  const ended = new Promise<void>((resolve, reject) => {
    transform.on('end', resolve);
    transform.on('error', reject);
  });
  for (const chunk of chunks) {
    if (!transform.write(chunk)) await new Promise((resolve) => transform.once('drain', resolve));
  }
  transform.end();
  await ended;
  return size;
}

async function sizeOf(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of chunks) size += chunk.length;
  return size;
}

async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}

function cut(bytes: Uint8Array): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 65_536) chunks.push(bytes.subarray(at, at + 65_536));
  return chunks;
}

const limits = { key: 'bench', bytesMax: Infinity, ratioMax: Infinity };

async function ratios(compressor: Compressor, raw: Raw, context: BarContext): Promise<number[]> {
  const rows = sampleRows(context.release ? 200_000 : 40_000, context.seed);
  const content = cut(Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join('')));
  const ours = await collect(compressor.compress(stream(content)));
  const theirs: Uint8Array[] = [];
  const transform = raw.compressor();
  transform.on('data', (chunk: Uint8Array) => theirs.push(chunk));
  await throughRaw(transform, content);
  const log = (line: string): void => context.log(line);
  const measure = async (name: string, a: Contestant, b: Contestant): Promise<number> =>
    (await compare(a, b, { name: `${compressor.name} ${name}`, rounds: 9, log })).ratio;
  const size = Buffer.concat(content).length;
  log(`${compressor.name}: ${size} bytes to ${ours.length}, raw ${Buffer.concat(theirs).length}`);
  return [
    await measure(
      'write',
      async () => void (await sizeOf(compressor.compress(stream(content)))),
      async () => void (await throughRaw(raw.compressor(), content)),
    ),
    await measure(
      'read',
      async () => void (await sizeOf(compressor.decompress(stream(cut(ours)), limits))),
      async () => void (await throughRaw(raw.decompressor(), cut(Buffer.concat(theirs)))),
    ),
    ...(await throughDataset(compressor, raw, {
      content,
      compressed: cut(Buffer.concat(theirs)),
      measure,
    })),
  ];
}

interface DatasetRun {
  readonly content: readonly Uint8Array[];
  readonly compressed: readonly Uint8Array[];
  readonly measure: (name: string, ours: Contestant, theirs: Contestant) => Promise<number>;
}

/** Raw bytes streamed into a snapshot and out of one. */
async function throughDataset(
  compressor: Compressor,
  raw: Raw,
  { content, compressed, measure }: DatasetRun,
): Promise<number[]> {
  const write = async (): Promise<() => Promise<number>> => {
    const dataset = await openDataset('bench', { store: memoryStore(), compressor });
    const writer = await dataset.streamWrite();
    for (const chunk of content) await writer.write(chunk);
    const { id } = await writer.commit();
    return () => sizeOf(dataset.stream(id));
  };
  const read = await write();
  return [
    await measure(
      'dataset write',
      async () => void (await write()),
      async () => {
        const hash = createHash('sha256');
        const parts: Uint8Array[] = [];
        await throughRaw(raw.compressor(), content, (chunk) => {
          hash.update(chunk);
          parts.push(chunk);
        });
        hash.digest('hex');
        Buffer.concat(parts);
      },
    ),
    await measure(
      'dataset read',
      async () => void (await read()),
      async () => {
        const hash = createHash('sha256');
        for (const chunk of compressed) hash.update(chunk);
        hash.digest('hex');
        await throughRaw(raw.decompressor(), compressed);
      },
    ),
  ];
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

export const bar: Bar = {
  id: 'P13',
  title: 'compressed write and read against the platform’s streams',
  async run(context) {
    if (rawZstd === undefined) await ratios(zstd(), rawGzip, context);
    const { value, pass } = await heldTo(barRatio, async () => {
      const measured = await ratios(gzip(), rawGzip, context);
      if (rawZstd !== undefined) measured.push(...(await ratios(zstd(), rawZstd, context)));
      return Math.min(...measured);
    });
    return {
      outcome: pass ? 'pass' : 'fail',
      figure: `ratio ${value.toFixed(2)}, the worst of ${rawZstd === undefined ? 'gzip' : 'gzip and zstd'}, alone and through a dataset (bar ${barRatio})`,
    };
  },
};
