/** Records of ours and of Go brought to one form, so that they can be compared. */
import type { ParquetAs, ParquetField } from '../../src/parquet.ts';
import type { GoField } from './go-peer.ts';

export type Row = Readonly<Record<string, unknown>>;

/** Fields read without loss, so that they can be compared with what Go says. */
export function exact(schema: readonly GoField[]): ParquetField[] {
  const as: Partial<Record<ParquetField['type'], ParquetAs>> = {
    int64: 'bigint',
    timestamp: 'string',
  };
  return schema.map((field) => {
    const way = as[field.type];
    return way === undefined ? field : { ...field, as: way };
  });
}

const tags: Readonly<Record<string, (value: never) => unknown>> = {
  int32: (value: number) => ({ $int32: String(value) }),
  int64: (value: bigint) => ({ $int64: String(value) }),
  bytes: (value: Uint8Array) => ({ $bytes: Buffer.from(value).toString('base64') }),
  timestamp: (value: string) => ({ $time: value }),
};

/** A record as the Go program prints it; floats are compared as the numbers they stand for. */
export function tagged(schema: readonly GoField[], record: Row): Row {
  return Object.fromEntries(
    schema.map(({ name, type }) => {
      const value = record[name];
      return [name, value === null ? null : (tags[type]?.(value as never) ?? value)];
    }),
  );
}

/** A record that the Go program printed, its tagged floats as numbers. */
export function plainFloats(record: Row): Row {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => {
      if (typeof value !== 'object' || value === null) return [name, value];
      const { $float32, $float } = value as { $float32?: string; $float?: string };
      if ($float32 !== undefined) return [name, Math.fround(special($float32))];
      return [name, $float === undefined ? value : special($float)];
    }),
  );
}

function special(text: string): number {
  return text.includes('Inf') ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
}
