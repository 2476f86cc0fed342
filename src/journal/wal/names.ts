/** Names of the files in the directory of a journal (docs/formats/journal.md, section 1). */

export const lockName = 'lock';
export const ownerName = 'owner';
export const reserveName = 'reserve';
/** Ends the name of a file that is still being written; openings remove what a crash left of them. */
export const unfinished = '.tmp';

const segmentPattern = /^wal-(\d{20})\.log$/;

export function segmentName(firstLsn: number): string {
  return `wal-${digits(firstLsn)}.log`;
}

/** Undefined when this is not the name of a segment. */
export function firstLsnOf(name: string): number | undefined {
  return numberOf(segmentPattern.exec(name)?.[1]);
}

/** What a recovery that cuts a segment at `offset` calls the bytes it moves aside. */
export function cutName(segment: string, offset: number): string {
  return `${segment}.cut-${offset}`;
}

/** What a recovery calls a whole file that it moves aside. */
export function asideName(name: string): string {
  return `${name}.aside`;
}

export function parentOf(dir: string): string {
  return dir.slice(0, dir.lastIndexOf('/')) || '/';
}

export function digits(lsn: number): string {
  return String(lsn).padStart(20, '0');
}

export function numberOf(text: string | undefined): number | undefined {
  const value = text === undefined ? Number.NaN : Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
