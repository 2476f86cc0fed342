/** Small inputs that decode to far more than anyone asked for. Add to the list; R23 sets each of them off. */
import { constants, gzipSync } from 'node:zlib';
import type { Compressor } from '../../src/encoding/compressor.ts';
import { wasmEngine } from '../../src/encoding/compressors/zstd-engine.ts';
import { decompressed } from '../../src/encoding/compressors/zstd.ts';
import { gzip, jsonl, zstd } from '../../src/encoding/index.ts';

export interface Bomb {
  readonly name: string;
  /** Decodes it and reports the size of each piece that came out. Has to end in `LODE_LIMIT_EXCEEDED`. */
  detonate(limitBytes: number, piece: (bytes: number) => void): Promise<void>;
}

export async function bombs(contentBytes: number): Promise<Bomb[]> {
  return [...gzipBombs(contentBytes), ...(await zstdBombs(contentBytes)), ...jsonlBombs()];
}

function gzipBombs(contentBytes: number): Bomb[] {
  const contents: [string, Uint8Array][] = [
    ['zeros', new Uint8Array(contentBytes)],
    ['one line again and again', Buffer.alloc(contentBytes, '{"a":1}\n')],
  ];
  const made: Bomb[] = [];
  for (const [name, content] of contents) {
    const zipped = gzipSync(content);
    const part = gzipSync(content.subarray(0, 1_048_576));
    const inputs: [string, Uint8Array][] = [
      [`gzip of ${name}`, zipped],
      [`fast gzip of ${name}`, gzipSync(content, { level: 1 })],
      [`gzip in fixed codes of ${name}`, gzipSync(content, { strategy: constants.Z_FIXED })],
      [`gzip in ${contentBytes >> 20} members of ${name}`, repeated(part, contentBytes >> 20)],
    ];
    for (const [title, bytes] of inputs) made.push(...ways(title, gzip(), bytes));
    // The inner layer is what comes out of the outer: a compressor is never applied twice, so this is read as data.
    made.push(...ways(`gzip of gzip of ${name}`, gzip(), gzipSync(repeated(zipped, 400))));
  }
  return made;
}

async function zstdBombs(contentBytes: number): Promise<Bomb[]> {
  const wasm = await wasmEngine();
  const inWasm: Compressor = {
    ...zstd(),
    decompress: (chunks, place) => decompressed(wasm, chunks, place),
  };
  const blocks = contentBytes >> 17;
  const part = wasm.compress(new Uint8Array(262_144), 3);
  const inputs: [string, Uint8Array][] = [
    ['zstd frame of repeated bytes', repeatingFrame(blocks)],
    ['zstd frames of repeated bytes', repeated(repeatingFrame(4), blocks / 4)],
    ['zstd frames of zeros', repeated(part, contentBytes / 262_144)],
  ];
  return inputs.flatMap(([title, bytes]) => [
    ...ways(title, zstd(), bytes),
    ...ways(`${title}, in WebAssembly`, inWasm, bytes),
  ]);
}

/** A frame whose blocks each say "this byte, 131,072 times" in four bytes. */
function repeatingFrame(blocks: number): Uint8Array {
  const header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
  const frame = new Uint8Array(header.length + blocks * 4);
  frame.set(header);
  for (let i = 0; i < blocks; i++) {
    const bits = (131_072 << 3) | (1 << 1) | (i === blocks - 1 ? 1 : 0);
    frame.set([bits & 0xff, (bits >> 8) & 0xff, bits >> 16, 0x41], header.length + i * 4);
  }
  return frame;
}

/** The same bomb against the limit of bytes and that of the ratio, in one chunk and in many. */
function ways(title: string, compressor: Compressor, bytes: Uint8Array): Bomb[] {
  const made: Bomb[] = [];
  for (const size of [bytes.length, 4096]) {
    for (const ratio of [false, true]) {
      made.push({
        name: `${title}, ${ratio ? 'ratio' : 'bytes'}, chunks of ${size}`,
        async detonate(limitBytes, piece) {
          const place = ratio
            ? { key: title, bytesMax: Infinity, ratioMax: 10 }
            : { key: title, bytesMax: limitBytes, ratioMax: Infinity };
          for await (const out of compressor.decompress(cut(bytes, size), place)) piece(out.length);
        },
      });
    }
  }
  return made;
}

function jsonlBombs(): Bomb[] {
  const deep = (open: string) => (): string => open.repeat(65_536);
  const inputs: [string, () => string][] = [
    ['one endless string', () => `${'x'.repeat(65_536)}`],
    ['arrays in arrays', deep('[')],
    ['objects in objects', deep('{"a":')],
  ];
  return inputs.map(([name, chunk]) => ({
    name: `JSON line of ${name}`,
    async detonate(limitBytes, piece) {
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (;;) {
          const bytes = new TextEncoder().encode(chunk());
          piece(bytes.length);
          yield bytes;
        }
      }
      const file = { key: name, size: undefined, stream: endless };
      for await (const _ of jsonl().decode(file, { recordBytesMax: limitBytes }));
    },
  }));
}

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  return Buffer.concat(Array.from({ length: times }, () => bytes));
}

async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
