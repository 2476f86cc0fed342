/** R7: single bits of a log turned over, in every mode: no record changes, none before the damage is lost. */
import type { RecoveryMode } from '../../src/journal.ts';
import { seededRandom } from '../../src/testing/index.ts';
import type { Disk } from '../../src/disk/disk.ts';
import { isLodeError } from '../../src/errors.ts';
import { examine } from '../../src/journal/wal/examine.ts';
import { assertRecoverable } from '../../src/journal/wal/recover.ts';
import { salvage } from '../../src/journal/wal/salvage.ts';
import { diskWith, dir, modes, openAndGoOn } from './sample.ts';
import type { Outcome, SampleRecord, SampleSegment } from './sample.ts';
import type { Findings } from './truncation.ts';

export interface FlipOptions {
  /** Of all bits, 0 to 1. */
  readonly share: number;
  readonly seed: number;
  readonly openEvery?: number;
}

export async function flipEverywhere(
  segments: readonly SampleSegment[],
  findings: Findings,
  { share, seed, openEvery = 500 }: FlipOptions,
): Promise<void> {
  const random = seededRandom(seed);
  const disk = await diskWith(segments);
  const contents = new Map(
    segments.flatMap(({ records }) =>
      records.map(({ lsn, content }) => [lsn, new TextEncoder().encode(content)]),
    ),
  );
  for (const [at, segment] of segments.entries()) {
    const file = await disk.open(segment.path, 'write');
    for (let bit = 0; bit < segment.bytes.length * 8; bit++) {
      if (random() >= share) continue;
      const offset = bit >> 3;
      const flipped = Uint8Array.of((segment.bytes[offset] ?? 0) ^ (1 << (bit & 7)));
      file.writeSync(flipped, offset);
      const seen = await lookOnce(disk, contents);
      for (const mode of modes) {
        const told = `${segment.name} bit ${bit}, ${mode}`;
        check(seen(mode), segments, at, offset, mode, findings, told);
        if (++findings.cases % openEvery !== 0) continue;
        const bytes = segment.bytes.slice();
        bytes.set(flipped, offset);
        const copy = await diskWith(segments.map((s, i) => (i === at ? { ...s, bytes } : s)));
        const outcome = await openAndGoOn(copy, mode);
        check(outcome, segments, at, offset, mode, findings, `${told}, opened`);
      }
      file.writeSync(segment.bytes.subarray(offset, offset + 1), offset);
    }
    await file.close();
  }
}

/** What every mode gives, from one reading of the log and one salvage. Only contents that differ are decoded. */
async function lookOnce(
  disk: Disk,
  contents: ReadonlyMap<number, Uint8Array>,
): Promise<(mode: RecoveryMode) => Outcome> {
  const found = new Map<number, string>();
  const saved = new Map<number, string>();
  const add = (to: Map<number, string>, lsn: number, bytes: Uint8Array): void => {
    const expected = contents.get(lsn);
    const same = expected !== undefined && Buffer.compare(expected, bytes) === 0;
    to.set(lsn, same ? unchanged : new TextDecoder().decode(bytes));
  };
  const refusal = (work: () => void): string | undefined => {
    try {
      work();
    } catch (error) {
      if (!isLodeError(error) || error.kind === 'internal') throw error;
      return error.code;
    }
    return undefined;
  };
  let tooNew: string | undefined;
  try {
    const examined = await examine(disk, dir, {
      visit: ({ lsn, bytes }) => add(found, lsn, bytes),
    });
    for await (const records of salvage(disk, examined.files))
      for (const { lsn, bytes } of records) add(saved, lsn, bytes);
    return (mode) => ({
      records: mode === 'salvage' ? saved : found,
      refused: refusal(() => assertRecoverable(examined, mode)),
    });
  } catch (error) {
    tooNew = refusal(() => {
      throw error;
    });
  }
  return () => ({ records: new Map(), refused: tooNew });
}

const laidOut = new WeakMap<readonly SampleSegment[], { record: SampleRecord; i: number }[]>();

/** All records with the index of their segment. */
function recordsOf(segments: readonly SampleSegment[]): { record: SampleRecord; i: number }[] {
  let all = laidOut.get(segments);
  if (all === undefined) {
    all = segments.flatMap(({ records }, i) => records.map((record) => ({ record, i })));
    laidOut.set(segments, all);
  }
  return all;
}

/** Stands for the content that a record has to have. */
const unchanged = 'unchanged';

function check(
  { records, refused }: Outcome,
  segments: readonly SampleSegment[],
  at: number,
  offset: number,
  mode: RecoveryMode,
  findings: Findings,
  told: string,
): void {
  const report = (what: string): void => void findings.violations.push(`${told}: ${what}`);
  const all = recordsOf(segments);
  // Records that end in front of the bit, in the order of the log.
  const before = all.filter(({ record, i }) => i < at || (i === at && record.end <= offset)).length;
  for (const [lsn, content] of records)
    if (content !== unchanged && all[lsn - 1]?.record.content !== content)
      report(`record ${lsn} is changed or invented`);
  if (mode === 'strict') {
    if (refused === undefined) report('accepted');
    return;
  }
  if (refused !== undefined) {
    if (mode !== 'tail') report(`refused with ${refused}`);
    // Only what may have been in flight may be missing without a refusal; in front of that, refusing is right.
    return;
  }
  if (mode === 'salvage') {
    if (records.size < all.length - 1) report(`${all.length - records.size} records are lost`);
    return;
  }
  if (records.size < before) report(`${before - records.size} records in front of it are lost`);
  let next = 1;
  for (const lsn of records.keys()) next += lsn === next ? 1 : 0;
  if (next !== records.size + 1) report('what is kept has a gap');
  // Cut without being asked: only the last group of a log that was not closed.
  const lastGroup = all.findLastIndex(({ record }, i) => record.endsGroup && i < all.length - 1);
  if (mode === 'tail' && records.size <= lastGroup) report('a group that was durable is cut off');
}
