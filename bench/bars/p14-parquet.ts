/**
 * P14: the Parquet codec against hyparquet and hyparquet-writer called directly with the same records, in row groups of the
 * same size; how much of a file one column of five costs, and how much of a dataset one partition of a hundred; and DuckDB
 * on the result.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataFile } from '../../src/encoding/codec.ts';
import { createMeter, hive, memoryStore, openDataset } from '../../src/index.ts';
import { parquet } from '../../src/parquet.ts';
import { compare, heldTo } from '../harness.ts';
import type { Bar, BarContext } from '../harness.ts';

const schema = {
  id: { type: 'int64', as: 'bigint' },
  name: 'string',
  score: 'float64',
  ok: 'bool',
  note: 'string?',
} as const;
const rowGroupRows = 65_536;
const codec = parquet(schema, { rowGroupRows, rowGroupBytes: 1 << 30 });

interface Row {
  readonly id: bigint;
  readonly name: string;
  readonly score: number;
  readonly ok: boolean;
  readonly note: string | null;
}

function rowsOf(count: number): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    id: BigInt(i * 31),
    name: `customer ${(i * 7919) % count}`,
    score: Math.sqrt(i) * 100,
    ok: i % 3 === 0,
    note: i % 4 === 0 ? null : `note ${i % 50}`,
  }));
}

async function write(rows: readonly Row[]): Promise<Uint8Array> {
  const encoder = codec.encoder();
  const parts: Uint8Array[] = [];
  for (let i = 0; i < rows.length; i++) {
    const part = encoder.write(rows[i] as Row, i);
    const ready = part instanceof Promise ? await part : part;
    if (ready !== undefined) parts.push(ready);
  }
  parts.push(await encoder.finish());
  encoder.statistics?.();
  return new Uint8Array(Buffer.concat(parts));
}

async function read(file: DataFile): Promise<bigint> {
  let sum = 0n;
  for await (const record of codec.decode(file, {})) sum += record.id;
  return sum;
}

function fileOf(bytes: Uint8Array): DataFile & { fetched: number } {
  const file = {
    key: 'data',
    size: bytes.length,
    fetched: 0,
    async *stream() {
      yield bytes;
    },
    readRange: async (offset: number, length: number) => {
      file.fetched += length;
      return bytes.subarray(offset, offset + length);
    },
  };
  return file;
}

/** The same records through the peers alone. */
async function peers(
  rows: readonly Row[],
): Promise<{ write: () => void; read: () => Promise<void> }> {
  const { ByteWriter, parquetWriteRows } = await import('hyparquet-writer');
  const { parquetReadObjects } = await import('hyparquet');
  const columns = [
    { name: 'id', type: 'INT64' as const, nullable: false },
    { name: 'name', type: 'STRING' as const, nullable: false },
    { name: 'note', type: 'STRING' as const, nullable: true },
    { name: 'ok', type: 'BOOLEAN' as const, nullable: false },
    { name: 'score', type: 'DOUBLE' as const, nullable: false },
  ];
  const writeAll = (): ArrayBuffer => {
    const writer = new ByteWriter();
    void parquetWriteRows({ writer, rows: rows as Row[], columns, rowGroupSize: rowGroupRows });
    return writer.getBuffer();
  };
  const file = writeAll();
  return {
    write: () => void writeAll(),
    read: async () => {
      let sum = 0n;
      for (const record of await parquetReadObjects({ file })) sum += record['id'] as bigint;
    },
  };
}

/** How much of a file one column of five costs, on average over the five. */
async function columnShare(bytes: Uint8Array): Promise<number> {
  const file = fileOf(bytes);
  for (const column of Object.keys(schema) as (keyof typeof schema)[])
    for await (const record of codec.decode(file, { columns: [column] })) void record;
  return file.fetched / 5 / bytes.length;
}

const partitionCount = 100;

/** Bytes of files fetched for a condition that only one partition of a hundred meets, over the bytes of all files. */
async function partitionShare(count: number, log: BarContext['log']): Promise<number> {
  type Parted = Row & { readonly day: string };
  const rows: Parted[] = rowsOf(count).map((row, i) => ({ ...row, day: `d${i % partitionCount}` }));
  const store = memoryStore();
  const options = { store, layout: hive('day'), codec: parquet({ ...schema, day: 'string' }) };
  const written = await (await openDataset('bench', options)).write(rows);
  const stored = written.manifest.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const dataset = await openDataset('bench', options);
  const [manifestOnly, all] = [createMeter(), createMeter()];
  await dataset.snapshot(written.id, { meter: manifestOnly });
  const read = await dataset.read(written.id, { where: { day: 'd7' }, meter: all });
  if (read.length !== count / partitionCount) throw new Error(`${read.length} records matched`);
  const manifest = manifestOnly.snapshot().bytesDown;
  log(`${stored} bytes in ${written.manifest.files.length} files, manifest ${manifest}`);
  return (all.snapshot().bytesDown - manifest) / stored;
}

/** Sums by DuckDB; undefined when it is not installed. */
async function duckSum(bytes: Uint8Array): Promise<bigint | undefined> {
  const duckdb = await import('@duckdb/node-api').catch(() => undefined);
  if (duckdb === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'lode-p14-'));
  const instance = await duckdb.DuckDBInstance.create();
  const connection = await instance.connect();
  try {
    const path = join(folder, 'data.parquet');
    await writeFile(path, bytes);
    const reader = await connection.runAndReadAll(
      `select sum(id)::bigint + count(note) as sum from read_parquet('${path}')`,
    );
    return reader.getRowObjects()[0]?.['sum'] as bigint;
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

async function run({
  release,
  log,
}: BarContext): Promise<{ outcome: 'pass' | 'fail'; figure: string }> {
  const count = release ? 1_000_000 : 200_000;
  const rounds = release ? 5 : 5;
  const rows = rowsOf(count);
  const bytes = await write(rows);
  const direct = await peers(rows);
  log(`${count} records, ${bytes.length} bytes`);
  const written = await heldTo(0.9, async () => {
    const ours = async (): Promise<void> => void (await write(rows));
    return (await compare(ours, direct.write, { name: 'write', rounds, log })).ratio;
  });
  const readBack = await heldTo(0.9, async () => {
    const ours = async (): Promise<void> => void (await read(fileOf(bytes)));
    return (await compare(ours, direct.read, { name: 'read', rounds, log })).ratio;
  });
  const share = await columnShare(bytes);
  const partition = await partitionShare(count, log);
  const sum = await duckSum(bytes);
  const expected = rows.reduce((all, { id, note }) => all + id + (note === null ? 0n : 1n), 0n);
  log(`DuckDB: ${sum === undefined ? 'not installed' : sum === expected ? 'agrees' : 'disagrees'}`);
  const small = share <= 0.25 && partition <= 0.02;
  const pass = written.pass && readBack.pass && small && (sum ?? expected) === expected;
  return {
    outcome: pass ? 'pass' : 'fail',
    figure:
      `write ${written.value.toFixed(2)} (bar 0.90), read ${readBack.value.toFixed(2)} (bar 0.90), ` +
      `one of five columns ${share.toFixed(3)} of bytes (bar 0.250), ` +
      `one of ${partitionCount} partitions ${partition.toFixed(4)} (bar 0.0200)`,
  };
}

export const bar: Bar = {
  id: 'P14',
  title: 'Parquet against hyparquet(-writer) called directly',
  run,
};
