/** Parquet files made by hand: small ones that claim to be large, and a small honest one to damage. */
import { gzipSync } from 'node:zlib';
import type { LodeErrorCode } from '../../../src/errors.ts';
import { parquet } from '../../../src/parquet.ts';
import type { ParquetCompression } from '../../../src/parquet.ts';
import { encode } from './parquet-files.ts';

export function smallFile(): Promise<Uint8Array> {
  return small('snappy');
}

export function smallParquetFiles(): Promise<Uint8Array[]> {
  return Promise.all((['snappy', 'gzip', 'zstd', 'none'] as const).map((name) => small(name)));
}

async function small(compression: ParquetCompression): Promise<Uint8Array> {
  const schema = { id: 'int64', name: 'string?', score: 'float64', ok: 'bool?' } as const;
  const codec = parquet(schema, { compression, rowGroupRows: 25 });
  const records = Array.from({ length: 40 }, (_, i) => ({
    id: i,
    name: i % 3 === 0 ? null : `name ${i % 4}`,
    score: i / 7,
    ok: i % 5 === 0 ? null : i % 2 === 0,
  }));
  return (await encode(codec, records)).bytes;
}

type Thrift = number | boolean | string | Uint8Array | Thrift[] | { readonly [id: number]: Thrift };

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...out, rest];
}

function typeOf(value: Thrift): number {
  if (value === true) return 1;
  if (value === false) return 2;
  if (typeof value === 'number') return 6;
  if (typeof value === 'string' || value instanceof Uint8Array) return 8;
  return Array.isArray(value) ? 9 : 12;
}

function thrift(value: Thrift): number[] {
  if (typeof value === 'boolean') return [];
  if (typeof value === 'number') return varint(value < 0 ? -value * 2 - 1 : value * 2);
  if (typeof value === 'string') return thrift(new TextEncoder().encode(value));
  if (value instanceof Uint8Array) return [...varint(value.length), ...value];
  if (Array.isArray(value)) {
    const type = value[0] === undefined ? 12 : typeOf(value[0]);
    return [0xf0 | type, ...varint(value.length), ...value.flatMap(thrift)];
  }
  const out: number[] = [];
  for (const [id, member] of Object.entries(value))
    out.push(typeOf(member), ...varint(Number(id) * 2), ...thrift(member));
  return [...out, 0];
}

interface Chunk {
  readonly pages: readonly number[];
  readonly type?: number;
  readonly codec?: number;
  readonly optional?: boolean;
  readonly rows: number;
  readonly bytes?: number;
  readonly groups?: number;
  readonly schema?: Thrift[];
}

/** One column, one chunk, any lie. */
function file(chunk: Chunk): Uint8Array {
  const { type = 2, codec = 0, rows, groups = 1 } = chunk;
  const meta = {
    1: type,
    2: [0],
    3: ['a'],
    4: codec,
    5: rows,
    6: 1,
    7: chunk.bytes ?? chunk.pages.length,
    9: 4,
  };
  const group = { 1: [{ 2: 0, 3: meta }], 2: 1, 3: rows };
  return sealed(chunk.pages, {
    1: 2,
    2: chunk.schema ?? [
      { 4: 'record', 5: 1 },
      { 1: type, 3: chunk.optional === true ? 1 : 0, 4: 'a' },
    ],
    3: rows * groups,
    4: Array.from({ length: groups }, () => group),
  });
}

function sealed(pages: readonly number[], footer: Thrift | readonly number[]): Uint8Array {
  const bytes = isBytes(footer) ? footer : thrift(footer);
  const end = new Uint8Array(8);
  new DataView(end.buffer).setUint32(0, bytes.length, true);
  end.set([80, 65, 82, 49], 4);
  return new Uint8Array([80, 65, 82, 49, ...pages, ...bytes, ...end]);
}

function isBytes(footer: Thrift | readonly number[]): footer is readonly number[] {
  return Array.isArray(footer);
}

interface PageOptions {
  readonly values: number;
  readonly encoding?: number;
  readonly nulls?: number;
  readonly size?: number;
  readonly levels?: readonly number[];
  readonly compressed?: boolean;
}

/** A data page of the second version. */
function page(body: readonly number[], options: PageOptions): number[] {
  const { values, encoding = 0, nulls = 0, levels = [], compressed = false } = options;
  const stored = levels.length + body.length;
  return [
    ...thrift({
      1: 3,
      2: options.size ?? stored,
      3: stored,
      8: { 1: values, 2: nulls, 3: values, 4: encoding, 5: levels.length, 6: 0, 7: compressed },
    }),
    ...levels,
    ...body,
  ];
}

function dictionary(body: readonly number[], values: number): number[] {
  return [...thrift({ 1: 2, 2: body.length, 3: body.length, 7: { 1: values, 2: 0 } }), ...body];
}

const zeros = (count: number): number[] => Array.from({ length: count }, () => 0);

export interface Bomb {
  readonly name: string;
  readonly codes: readonly LodeErrorCode[];
  make(): Uint8Array | Promise<Uint8Array>;
}

const format = ['LODE_INVALID_FORMAT'] as const;
const limit = ['LODE_LIMIT_EXCEEDED'] as const;

export const bombs: readonly Bomb[] = [
  {
    name: 'runs that claim a billion nulls',
    codes: limit,
    make: () => {
      const levels = [...varint(2 ** 31), 0];
      const pages = page([], { values: 2 ** 30, nulls: 2 ** 30, levels });
      return file({ pages, optional: true, rows: 2 ** 30 });
    },
  },
  {
    name: 'a dictionary of one value for a billion rows',
    codes: limit,
    make: () => {
      const pages = [
        ...dictionary(zeros(8), 1),
        ...page([0, ...varint(2 ** 31)], { values: 2 ** 30, encoding: 8 }),
      ];
      return file({ pages, rows: 2 ** 30 });
    },
  },
  {
    name: 'a footer that claims 2^50 rows',
    codes: limit,
    make: () => file({ pages: page(zeros(8), { values: 1 }), rows: 2 ** 50 }),
  },
  {
    name: 'a row group of a million rows over a page of one',
    codes: format,
    make: () => file({ pages: page(zeros(8), { values: 1 }), rows: 1_000_000 }),
  },
  {
    name: 'a page that claims 4 GiB behind Snappy',
    codes: limit,
    make: () =>
      file({
        pages: page([...varint(2 ** 32 - 1), 0, 0], {
          values: 1,
          size: 2 ** 32 - 1,
          compressed: true,
        }),
        codec: 1,
        rows: 1,
      }),
  },
  {
    name: 'a page that claims 200 MiB behind ten bytes of Snappy',
    codes: format,
    make: () => {
      const size = 200 * 1024 * 1024;
      return file({
        pages: page([...varint(size), ...zeros(6)], { values: 1, size, compressed: true }),
        codec: 1,
        rows: 1,
      });
    },
  },
  {
    name: 'gzip that holds 8 MiB behind a page of eight bytes',
    codes: format,
    make: () => {
      const body = [...gzipSync(new Uint8Array(8 << 20))];
      return file({
        pages: page(body, { values: 1, size: 8, compressed: true }),
        codec: 2,
        rows: 1,
      });
    },
  },
  {
    name: 'a page that claims 200 MiB behind a little gzip',
    codes: format,
    make: () => {
      const body = [...gzipSync(new Uint8Array(1 << 16))];
      return file({
        pages: page(body, { values: 1, size: 200 << 20, compressed: true }),
        codec: 2,
        rows: 1,
      });
    },
  },
  {
    name: 'Snappy that copies past the size of its page',
    codes: format,
    make: () =>
      file({
        pages: page([8, 0, 0, 0xfe, 1, 0, 0xfe, 1, 0], { values: 1, size: 8, compressed: true }),
        codec: 1,
        rows: 1,
      }),
  },
  {
    name: 'delta blocks of two billion miniblocks',
    codes: format,
    make: () => {
      const body = [...varint(2 ** 31), ...varint(2 ** 31 - 1), ...varint(8), 0, ...zeros(20)];
      return file({ pages: page(body, { values: 8, encoding: 5 }), rows: 8 });
    },
  },
  {
    name: 'shared prefixes that multiply to gigabytes',
    codes: limit,
    make: () => {
      // 40,000 values, each keeping the 100,000 bytes of the one before and adding none.
      const count = 40_000;
      const length = 100_000;
      const header = [...varint(128), ...varint(4), ...varint(count)];
      const steady = Array.from({ length: Math.ceil((count - 129) / 128) }, () => zeros(5)).flat();
      const prefixes = [...header, ...thrift(0), ...thrift(0), 32, 0, 0, 0];
      prefixes.push(...little(length), ...zeros(31 * 4), ...steady);
      const lengths = [
        ...header,
        ...thrift(length),
        ...thrift(-length),
        32,
        32,
        32,
        32,
        ...zeros(4),
      ];
      for (let i = 1; i < 128; i++) lengths.push(...little(length));
      const body = [...prefixes, ...lengths, ...steady, ...zeros(length)];
      return file({ pages: page(body, { values: count, encoding: 7 }), type: 6, rows: count });
    },
  },
  {
    name: 'metadata nested a hundred thousand deep',
    codes: format,
    make: () =>
      sealed(
        [],
        Array.from({ length: 100_000 }, () => 0x1c),
      ),
  },
  {
    name: 'lists nested a hundred thousand deep',
    codes: format,
    make: () => sealed([], [0x19, ...Array.from({ length: 100_000 }, () => 0x19)]),
  },
  {
    name: 'a list of 2^31 schema elements in no bytes',
    codes: format,
    make: () => sealed([], [0x29, 0xfc, ...varint(2 ** 31)]),
  },
  {
    name: 'a footer of 4 GiB in a small file',
    codes: format,
    make: () => {
      const bytes = sealed(zeros(100), [0]);
      new DataView(bytes.buffer).setUint32(bytes.length - 8, 2 ** 32 - 1, true);
      return bytes;
    },
  },
  {
    name: 'a thousand row groups over the same bytes',
    codes: format,
    make: () => file({ pages: page(zeros(8000), { values: 1000 }), rows: 1000, groups: 1000 }),
  },
  {
    name: 'empty pages without end',
    codes: format,
    make: () =>
      file({ pages: Array.from({ length: 3000 }, () => page([], { values: 0 })).flat(), rows: 1 }),
  },
  {
    name: 'runs of no length without end',
    codes: format,
    make: () => {
      const pages = page(zeros(8), { values: 1000, nulls: 999, levels: zeros(60_000) });
      return file({ pages, optional: true, rows: 1000 });
    },
  },
  {
    name: 'a bit-packed run of negative length',
    codes: format,
    make: () => {
      const pages = [
        ...dictionary(zeros(8), 1),
        ...page([1, ...varint(2 ** 32 - 1)], { values: 8, encoding: 8 }),
      ];
      return file({ pages, rows: 8 });
    },
  },
  {
    name: 'a decimal of two billion digits',
    codes: format,
    make: () =>
      file({
        pages: page(zeros(8), { values: 1 }),
        rows: 1,
        schema: [
          { 4: 'record', 5: 1 },
          { 1: 2, 3: 0, 4: 'a', 6: 5, 7: 2 ** 31 - 1 },
        ],
      }),
  },
  {
    name: 'values that are not in the dictionary',
    codes: format,
    make: () => {
      const pages = [
        ...dictionary(zeros(8), 1),
        ...page([8, ...varint(16), 200], { values: 8, encoding: 8 }),
      ];
      return file({ pages, rows: 8 });
    },
  },
  {
    name: 'text of 4 GiB in a page of ten bytes',
    codes: format,
    make: () => file({ pages: page([255, 255, 255, 255, 1], { values: 1 }), type: 6, rows: 1 }),
  },
  {
    name: 'a page of minus one bytes',
    codes: format,
    make: () =>
      file({ pages: thrift({ 1: 3, 2: -1, 3: -1, 8: { 1: 1, 2: 0, 4: 0, 5: 0, 6: 0 } }), rows: 1 }),
  },
  {
    name: 'rows without columns',
    codes: format,
    make: () =>
      sealed([], {
        1: 2,
        2: [{ 4: 'record', 5: 0 }],
        3: 2 ** 50,
        4: [{ 1: [], 2: 0, 3: 2 ** 50 }],
      }),
  },
];

function little(value: number): number[] {
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255];
}
