/** R7: single bits of a log turned over, in every mode: no record changes, none before the damage is lost. */
import type { RecoveryMode } from '../../src/journal.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { diskWith, look, modes, openAndGoOn } from './sample.ts';
import type { Outcome, SampleSegment } from './sample.ts';
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
  for (const [at, segment] of segments.entries()) {
    const file = await disk.open(segment.path, 'write');
    for (let bit = 0; bit < segment.bytes.length * 8; bit++) {
      if (random() >= share) continue;
      const offset = bit >> 3;
      const flipped = Uint8Array.of((segment.bytes[offset] ?? 0) ^ (1 << (bit & 7)));
      file.writeSync(flipped, offset);
      for (const mode of modes) {
        const told = `${segment.name} bit ${bit}, ${mode}`;
        check(await look(disk, mode), segments, at, offset, mode, findings, told);
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
  const all = segments.flatMap((segment, i) => segment.records.map((record) => ({ record, i })));
  // Records that end in front of the bit, in the order of the log.
  const before = all.filter(({ record, i }) => i < at || (i === at && record.end <= offset)).length;
  for (const [lsn, content] of records)
    if (all[lsn - 1]?.record.content !== content) report(`record ${lsn} is changed or invented`);
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
  const isPrefix = [...records.keys()].every((lsn, i) => lsn === i + 1);
  if (!isPrefix) report('what is kept has a gap');
  // Cut without being asked: only the last group of a log that was not closed.
  const lastGroup = all.findLastIndex(({ record }, i) => record.endsGroup && i < all.length - 1);
  if (mode === 'tail' && records.size <= lastGroup) report('a group that was durable is cut off');
}
