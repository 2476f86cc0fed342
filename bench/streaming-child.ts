/**
 * A process of its own that streams records into a dataset in a directory, or out of it, and prints how far its resident
 * memory rose while doing so: `node streaming-child.js write|read ROOT BYTES`.
 *
 * The base is what the process holds after the same work on a small dataset: code loaded and compiled, pools and buffers
 * in place.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzip, jsonl, openDataset } from '../src/index.ts';
import type { Dataset } from '../src/index.ts';
import { fsStore } from '../src/fs.ts';
import { sampleRows } from './rows.ts';
import type { Row } from './rows.ts';

const [mode = '', root = '', size = '0'] = process.argv.slice(2);
const bytesMax = Number(size);
const smallBytes = 4 * 1024 * 1024;

/** Made once, so that what the source of the records holds does not grow. */
const sample = sampleRows(1000, 1);
const rowBytes = Buffer.byteLength(sample.map((row) => JSON.stringify(row)).join('\n')) / 1000;

function* rows(bytes: number): Generator<Row> {
  for (let i = 0; i * rowBytes < bytes; i++) yield { ...(sample[i % 1000] as Row), id: i };
}

function open(name: string): Promise<Dataset<Row>> {
  const at = join(root, name);
  mkdirSync(at, { recursive: true });
  const store = fsStore(at, { durability: 'none' });
  return openDataset('stream', { store, codec: jsonl<Row>(), compressor: gzip({ level: 1 }) });
}

async function write(name: string, bytes: number): Promise<void> {
  await (await open(name)).streamWriteRecords(rows(bytes));
}

async function read(name: string, bytes: number): Promise<void> {
  const dataset = await open(name);
  let count = 0;
  for await (const row of dataset.records((await dataset.latest()).id))
    if (row.id === count) count++;
  if (count !== Math.ceil(bytes / rowBytes)) throw new Error(`${count} records came back`);
}

async function work(name: string, bytes: number): Promise<void> {
  await (mode === 'write' ? write(name, bytes) : read(name, bytes));
}

for (let i = 0; i < 3; i++) await work(mode === 'write' ? `small-${i}` : 'small-0', smallBytes);
const base = process.memoryUsage.rss();
let peak = base;
const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 10);
await work('large', bytesMax);
clearInterval(watch);
console.log(JSON.stringify({ base, peak: Math.max(peak, process.memoryUsage.rss()) }));
