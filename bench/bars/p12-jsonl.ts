/**
 * P12: JSONL encode and decode against the chunked loops one would write by hand: `JSON.stringify` a row at a time into
 * 64 Ki characters, and 64 KiB blocks cut at line ends, split and parsed. Ours also refuses what JSON would lose, sorts
 * names, writes Go's escapes, and yields records one by one.
 *
 * Once for the codec alone, once through a dataset in memory, where both sides also take and compare a SHA-256.
 */
import { createHash } from 'node:crypto';
import { jsonl } from '../../src/encoding/jsonl/index.ts';
import { memoryStore, openDataset } from '../../src/index.ts';
import type { Dataset } from '../../src/index.ts';
import type { Bar, BarContext } from '../harness.ts';
import { compare, heldTo } from '../harness.ts';
import type { Row } from '../rows.ts';
import { sampleRows } from '../rows.ts';

const barRatio = 0.75;

const codec = jsonl<Row>();

function encode(rows: readonly Row[]): Uint8Array[] {
  const encoder = codec.encoder();
  const blocks: Uint8Array[] = [];
  for (const [index, row] of rows.entries()) {
    const block = encoder.write(row, index) as Uint8Array | undefined;
    if (block !== undefined) blocks.push(block);
  }
  blocks.push(encoder.finish() as Uint8Array);
  return blocks;
}

async function decode(chunks: readonly Uint8Array[]): Promise<number> {
  const file = { key: 'bench', size: undefined, stream: () => stream(chunks) };
  let count = 0;
  for await (const row of codec.decode(file, {})) if (row.ok) count++;
  return count;
}

function rawEncode(rows: readonly Row[]): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  let text = '';
  for (const row of rows) {
    text += `${JSON.stringify(row)}\n`;
    if (text.length >= 65_536) {
      blocks.push(Buffer.from(text));
      text = '';
    }
  }
  blocks.push(Buffer.from(text));
  return blocks;
}

async function rawDecode(chunks: readonly Uint8Array[]): Promise<number> {
  let rest: Uint8Array = new Uint8Array();
  let count = 0;
  for await (const chunk of stream(chunks)) {
    const end = chunk.lastIndexOf(0x0a) + 1;
    const block = Buffer.concat([rest, chunk.subarray(0, end)]).toString('utf8');
    rest = chunk.subarray(end);
    for (const line of block.split('\n')) {
      if (line !== '' && (JSON.parse(line) as Row).ok) count++;
    }
  }
  return count;
}

async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}

function openBench(): Promise<Dataset<Row>> {
  return openDataset('bench', { store: memoryStore(), codec });
}

function digestOf(chunks: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

/** The worse of write and read through a dataset. */
async function throughDataset(
  rows: readonly Row[],
  chunks: readonly Uint8Array[],
  log: (line: string) => void,
): Promise<number> {
  const expected = digestOf(chunks);
  const written = await compare(
    async () => void (await (await openBench()).write(rows)),
    () => {
      const encoded = rawEncode(rows);
      new Map([[digestOf(encoded), Buffer.concat(encoded)]]);
    },
    { name: 'dataset write', rounds: 11, log },
  );
  const dataset = await openBench();
  const { id } = await dataset.write(rows);
  const read = await compare(
    async () => {
      let count = 0;
      for await (const row of dataset.records(id)) if (row.ok) count++;
    },
    async () => {
      await rawDecode(chunks);
      if (digestOf(chunks) !== expected) throw new Error('the digest differs');
    },
    { name: 'dataset records', rounds: 11, log },
  );
  return Math.min(written.ratio, read.ratio);
}

async function run(context: BarContext): Promise<number> {
  const { release, seed } = context;
  const log = (line: string): void => context.log(line);
  const rows = sampleRows(release ? 500_000 : 50_000, seed);
  const bytes = Buffer.concat(rawEncode(rows));
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 65_536) chunks.push(bytes.subarray(at, at + 65_536));
  log(`${rows.length} rows, ${bytes.length} bytes`);
  const encoding = await compare(
    () => void encode(rows),
    () => void rawEncode(rows),
    { name: 'encode', rounds: 11, log },
  );
  const decoding = await compare(
    async () => void (await decode(chunks)),
    async () => void (await rawDecode(chunks)),
    { name: 'decode', rounds: 11, log },
  );
  return Math.min(encoding.ratio, decoding.ratio, await throughDataset(rows, chunks, log));
}

export const bar: Bar = {
  id: 'P12',
  title: 'JSONL encode and decode against raw chunked loops',
  async run(context) {
    const { value, pass } = await heldTo(barRatio, () => run(context));
    return {
      outcome: pass ? 'pass' : 'fail',
      figure: `ratio ${value.toFixed(2)}, the worst of encode, decode, dataset write and read (bar ${barRatio})`,
    };
  },
};
