/** `lode journal verify`: every record and every snapshot of a journal against its checksums. */
import { LodeError } from 'lode';
import type { RecoveryDamage, SnapshotFile, WalInspection } from 'lode/journal';
import type { Command } from '../command.ts';
import { errorFacts, exitCodes } from '../failure.ts';
import { checkSnapshot, damageFacts, journalOf, placeOf, tornText } from '../journal.ts';
import { bytesText, countText, plainText } from '../text.ts';

interface Problem {
  readonly file: string;
  readonly error: LodeError;
  /** Of a frame whose checksum is another. */
  readonly damage?: RecoveryDamage;
}

export const command: Command = {
  options: {},
  takes: [1, 1],
  names: ['DIR'],
  async run(call) {
    const { out } = call;
    const { dir, log, snapshots, unfinished } = await journalOf(call);
    const { damage, notes } = log;
    const problems: Problem[] = [];
    if (unfinished !== undefined) problems.push({ file: nameOf(unfinished), error: unfinished });
    if (damage?.isTorn === false)
      problems.push({ file: damage.segment, error: damage.error, damage });
    for (const error of notes) problems.push({ file: nameOf(error), error });
    for (const found of snapshots) {
      const { error } = await checkSnapshot(dir, found, log.journalId);
      if (error !== undefined) problems.push({ file: found.name, error });
    }
    const gap = gapBefore(log, snapshots.at(-1), dir);
    if (gap !== undefined) problems.push(gap);
    if (out.json) {
      const { journalId, segments, records, firstLsn, lastLsn } = log;
      await out.document({
        command: 'journal verify',
        ok: problems.length === 0,
        journal: journalId,
        segments,
        records,
        firstLsn,
        lastLsn,
        snapshots: snapshots.length,
        torn: damage?.isTorn === true ? damageFacts(damage) : undefined,
        problems: problems.map(problemFacts),
      });
    } else {
      for (const problem of problems) await out.line(out.paint('red', problemText(problem)));
      await out.flush();
      out.note(summary(log, snapshots.length, problems.length));
    }
    return problems.length === 0 ? exitCodes.ok : exitCodes.damaged;
  },
};

/** The oldest snapshot is kept for when a newer one fails it, with the log behind it. */
function gapBefore(
  { files: [first] }: WalInspection,
  oldest: SnapshotFile | undefined,
  dir: string,
): Problem | undefined {
  if (first === undefined || oldest === undefined || first.isRestart) return undefined;
  if (first.firstLsn <= oldest.lsn + 1) return undefined;
  const { name: file, firstLsn: actual } = first;
  const what = 'records before this segment are missing';
  const details = { key: `${dir}/${file}`, field: 'first LSN', expected: oldest.lsn + 1, actual };
  return { file, error: new LodeError('LODE_TRUNCATED', what, details) };
}

function problemFacts({ file, error, damage }: Problem): object | undefined {
  if (damage !== undefined) return damageFacts(damage);
  return { file, ...placeOf(error), error: errorFacts(error) };
}

function problemText({ file, error, damage }: Problem): string {
  const { offset, expected, actual } = placeOf(error, damage);
  const record = damage === undefined ? '' : `  record ${damage.lsn}`;
  const values =
    expected === undefined && actual === undefined
      ? ''
      : `  expected ${expected}, actual ${actual}`;
  return plainText(`${file}  offset ${offset}${record}${values}  ${error.code}`);
}

function summary(log: WalInspection, snapshots: number, problems: number): string {
  const { segments, records, files, damage } = log;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const counts = [
    countText(segments, 'segment'),
    countText(records, 'record'),
    countText(snapshots, 'snapshot'),
    `${bytesText(bytes)} of log`,
  ].join(', ');
  const verdict = problems === 0 ? 'all as written' : countText(problems, 'problem');
  const torn = damage?.isTorn === true ? `; ${tornText(damage)}` : '';
  return `${counts}: ${verdict}${torn}`;
}

function nameOf({ details }: LodeError): string {
  return (details.key ?? '').replace(/^.*[/\\]/, '');
}
