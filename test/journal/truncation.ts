/** R6: a log cut at every length, in every mode: exactly what each mode promises. */
import type { RecoveryMode } from '../../src/journal.ts';
import { diskWith, look, modes, openAndGoOn } from './sample.ts';
import type { Outcome, SampleSegment } from './sample.ts';

export interface Findings {
  cases: number;
  violations: string[];
}

/** Every length of one segment, the last one by default; every `openEvery`th case is opened for good and written to. */
export async function truncateEverywhere(
  segments: readonly SampleSegment[],
  findings: Findings,
  { at = segments.length - 1, openEvery = 64 }: { at?: number; openEvery?: number } = {},
): Promise<void> {
  const segment = segments[at];
  if (segment === undefined) return;
  const disk = await diskWith(segments);
  const file = await disk.open(segment.path, 'write');
  for (let length = segment.bytes.length; length >= 0; length--) {
    await file.truncate(length);
    for (const mode of modes) {
      const told = `${segment.name} cut to ${length}, ${mode}`;
      check(await look(disk, mode), expectedOf(segments, at, length, mode), findings, told);
      if (length % openEvery !== 0) continue;
      const cut = { path: segment.path, bytes: segment.bytes.subarray(0, length) };
      const copy = await diskWith(segments.map((other, i) => (i === at ? cut : other)));
      const outcome = await openAndGoOn(copy, mode);
      check(outcome, expectedOf(segments, at, length, mode), findings, `${told}, opened`);
    }
  }
  await file.close();
}

/** What is kept, or undefined for a refusal. */
function expectedOf(
  segments: readonly SampleSegment[],
  at: number,
  length: number,
  mode: RecoveryMode,
): ReadonlyMap<number, string> | undefined {
  const kept = new Map<number, string>();
  const isLast = at === segments.length - 1;
  const isWhole = length >= (segments[at]?.end ?? 0);
  for (const [i, { records }] of segments.entries()) {
    if (i > at && !isWhole && mode !== 'salvage') break;
    for (const { lsn, end, content } of records)
      if (i !== at || end <= length) kept.set(lsn, content);
  }
  if (mode === 'last-good' || mode === 'salvage') return kept;
  if (mode === 'tail') return isLast || isWhole ? kept : undefined;
  return isClean(segments[at], length, isLast) ? kept : undefined;
}

/** Whether a segment of this length has nothing that tells of a cut. */
function isClean(segment: SampleSegment | undefined, length: number, isLast: boolean): boolean {
  if (segment === undefined) return false;
  if (length === segment.bytes.length) return true;
  const ends = [segment.headerEnd, ...segment.records.filter((r) => r.endsGroup).map((r) => r.end)];
  const before = Math.max(...ends.filter((end) => end <= length), 0);
  if (!isLast) return length >= segment.end && isBlank(segment.bytes, segment.end, length);
  // Behind a record there may be the zeros at the end of its page.
  return before > 0 && isBlank(segment.bytes, before, length);
}

function isBlank(bytes: Uint8Array, from: number, to: number): boolean {
  return bytes.subarray(from, to).every((byte) => byte === 0);
}

function check(
  { records, refused }: Outcome,
  expected: ReadonlyMap<number, string> | undefined,
  findings: Findings,
  told: string,
): void {
  findings.cases++;
  if (expected === undefined) {
    if (refused === undefined) findings.violations.push(`${told}: accepted`);
    return;
  }
  if (refused !== undefined) findings.violations.push(`${told}: refused with ${refused}`);
  else if (!sameRecords(records, expected))
    findings.violations.push(`${told}: ${records.size} records instead of ${expected.size}`);
}

function sameRecords(a: ReadonlyMap<number, string>, b: ReadonlyMap<number, string>): boolean {
  return a.size === b.size && [...a].every(([lsn, content]) => b.get(lsn) === content);
}
