/**
 * What an exported journal is in a dataset: a snapshot file, then parts of the log, each of them the one file of a dataset snapshot
 * that says in its metadata where it belongs. Put in a directory under their names the files are a journal again
 * (docs/formats/journal.md, section 10).
 */
import type { Snapshot } from '../../dataset/index.ts';
import { LodeError } from '../../errors.ts';
import { snapshotName } from '../snapshot/snapshot.ts';
import { segmentName } from '../wal/names.ts';

export interface Part {
  readonly kind: 'snapshot' | 'log';
  /** Id of the journal. */
  readonly id: string;
  /** The first and the last event in it; of a snapshot, both the last one in the state. */
  readonly first: number;
  readonly lsn: number;
  /** Log number and running checksum at its end, from which the next part goes on; 0 for a snapshot. */
  readonly logNumber: number;
  readonly running: number;
  /** CRC-32C and time of the last event, where the log has it. They tell this journal from another that once was a copy of it. */
  readonly lastCrc: number;
  readonly lastTime?: number;
}

const member = 'lode_journal';

export function metadataOf(part: Part): Readonly<Record<string, unknown>> {
  return { [member]: { ...part } };
}

export function partOf(snapshot: Snapshot, dataset: string): Part {
  const found = snapshot.manifest.metadata?.[member];
  if (isPart(found)) return found;
  throw new LodeError('LODE_INVALID_FORMAT', 'this dataset holds something else than a journal', {
    dataset,
    snapshot: snapshot.id,
    field: `metadata.${member}`,
    next: 'Name the dataset that the journal was exported to.',
  });
}

export function fileNameOf({ kind, first, lsn }: Part): string {
  return kind === 'snapshot' ? snapshotName(lsn) : segmentName(first);
}

function isPart(value: unknown): value is Part {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, id, lastTime = 0, ...numbers } = value as Record<string, unknown>;
  return (
    (kind === 'snapshot' || kind === 'log') &&
    typeof id === 'string' &&
    /^[0-9a-f]{32}$/.test(id) &&
    Number.isSafeInteger(lastTime) &&
    (['first', 'lsn', 'logNumber', 'running', 'lastCrc'] as const).every((name) => {
      const number = numbers[name];
      return Number.isSafeInteger(number) && (number as number) >= 0;
    })
  );
}
