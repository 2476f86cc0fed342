/** What the footer says about one row group, in the terms of a manifest's file statistics: for passing over groups. */
import { utf8Decode } from '../../bytes/text.ts';
import type { ColumnStatistics, FileStatistics } from '../codec.ts';
import type { FileColumn, TimeUnit } from './footer-schema.ts';
import type { Chunk, Footer, RowGroup } from './footer.ts';
import { formatRfc3339 } from './timestamp.ts';

/** Bounds hold for every value, but a column without them may hold anything, and so may one that is left out. */
export function groupStatistics(footer: Footer, group: RowGroup): FileStatistics {
  return {
    rowCount: group.rows,
    columns: footer.columns.flatMap((column, i): ColumnStatistics[] => {
      const found = (group.chunks[i] as Chunk).statistics;
      if (found?.nullCount === undefined || !column.flat) return [];
      const min = bound(column, found.min);
      const max = bound(column, found.max);
      return [
        {
          name: column.path,
          ...(min === undefined ? {} : { min }),
          ...(max === undefined ? {} : { max }),
          nullCount: found.nullCount,
          ...(column.meaning.kind === 'timestamp' ? { isTime: true } : {}),
        },
      ];
    }),
  };
}

const perUnit: Readonly<Record<TimeUnit, bigint>> = {
  MILLIS: 1_000_000n,
  MICROS: 1_000n,
  NANOS: 1n,
};

/** The eight types of the dataset format only; everything else has no bounds here. */
function bound(
  column: FileColumn,
  bytes: Uint8Array | undefined,
): string | number | bigint | undefined {
  if (bytes === undefined) return undefined;
  const { physical, meaning } = column;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (physical === 'BYTE_ARRAY') return meaning.kind === 'string' ? utf8Decode(bytes) : undefined;
  const plain = meaning.kind === 'none' || (meaning.kind === 'integer' && meaning.signed);
  if (bytes.length === 4 && plain) {
    if (physical === 'INT32') return view.getInt32(0, true);
    if (physical === 'FLOAT') return finite(view.getFloat32(0, true));
  }
  if (bytes.length !== 8) return undefined;
  if (physical === 'DOUBLE') return finite(view.getFloat64(0, true));
  if (physical !== 'INT64') return undefined;
  const value = view.getBigInt64(0, true);
  if (meaning.kind === 'timestamp')
    return meaning.utc ? instant(value * perUnit[meaning.unit]) : undefined;
  if (!plain) return undefined;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function instant(nanos: bigint): string | undefined {
  const inRange = nanos === BigInt.asIntN(64, nanos);
  return inRange ? formatRfc3339(nanos) : undefined;
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
