/**
 * The blocks of a compact manifest: sorted runs, each an object of its own that many snapshots share, and the recent blocks
 * that the manifest holds itself. Together they are one list: a few runs are searched instead of one table.
 */
import { LodeError } from '../errors.ts';
import type { BlockTable, Span, VolumeBlocks } from './block-table.ts';

/** What a manifest says of a run. */
export interface RunRef {
  readonly id: string;
  readonly count: number;
  /** Of the object. */
  readonly sizeBytes: number;
  /** Sum of the lengths of its blocks. */
  readonly coveredBytes: number;
  /** `crc32c:` and 8 hex digits over the object. */
  readonly checksum: string;
}

export interface Run extends RunRef {
  readonly table: BlockTable;
}

export class BlockStack implements VolumeBlocks {
  readonly count: number;
  readonly bytes: number;
  readonly runs: readonly Run[];
  readonly recent: BlockTable;

  constructor(runs: readonly Run[], recent: BlockTable) {
    this.runs = runs;
    this.recent = recent;
    this.count = runs.reduce((sum, { count }) => sum + count, recent.count);
    this.bytes = runs.reduce((sum, { coveredBytes }) => sum + coveredBytes, recent.bytes);
  }

  *from(offset: number): Generator<Span> {
    const cursors = this.tables()
      .map((table) => ({ table, i: table.search(offset) }))
      .filter(({ table, i }) => i < table.count);
    while (cursors.length > 0) {
      let first = cursors[0];
      for (const cursor of cursors)
        if (first === undefined || startOf(cursor) < startOf(first)) first = cursor;
      if (first === undefined) return;
      yield first.table.at(first.i++);
      if (first.i === first.table.count) cursors.splice(cursors.indexOf(first), 1);
    }
  }

  tables(): readonly BlockTable[] {
    return [...this.runs.map(({ table }) => table), this.recent];
  }
}

function startOf({ table, i }: { readonly table: BlockTable; readonly i: number }): number {
  return table.offsetAt(i);
}

/** What a decoded compact manifest has before its runs are fetched. */
export class UnreadStack implements VolumeBlocks {
  readonly count: number;
  readonly bytes: number;
  readonly refs: readonly RunRef[];
  readonly recent: BlockTable;

  constructor(refs: readonly RunRef[], recent: BlockTable) {
    this.refs = refs;
    this.recent = recent;
    this.count = refs.reduce((sum, { count }) => sum + count, recent.count);
    this.bytes = refs.reduce((sum, { coveredBytes }) => sum + coveredBytes, recent.bytes);
  }

  from(): Iterable<Span> {
    throw new LodeError(
      'LODE_INTERNAL',
      'the blocks of a manifest are used before its runs were read',
      {},
    );
  }
}
