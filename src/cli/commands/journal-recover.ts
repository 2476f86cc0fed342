/** `lode journal recover`: what a crash or a failing disk left is cut off and set aside; a plan unless told to apply it. */
import { isLodeError } from 'lode';
import { inspectWal, openWal, recover } from 'lode/journal';
import type { JournalPoint, JournalRecovery, RecoveryReport } from 'lode/journal';
import type { Call, Command } from '../command.ts';
import { usage } from '../command.ts';
import { damageFacts, journalOf } from '../journal.ts';
import { bytesText, countText, plainText } from '../text.ts';

export const command: Command = {
  options: {
    apply: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    mode: { type: 'string' },
    'until-lsn': { type: 'string' },
    'until-time': { type: 'string' },
  },
  takes: [1, 1],
  names: ['DIR'],
  async run(call) {
    const { out, applies } = call;
    const recovery = modeOf(call);
    const until = untilOf(call);
    const { dir, snapshots } = await journalOf(call);
    // A log of its own has no snapshots, and may begin anywhere.
    const isLog = snapshots.length === 0 && until === undefined;
    const options = { recovery, dryRun: !applies, ...(until && { until }) };
    const found = isLog ? undefined : recover(dir, options);
    const recovered = await (found ?? recoverLog(dir, recovery, applies)).catch(
      (error: unknown) => {
        const isDamage = isLodeError(error) && error.kind === 'corrupt' && recovery === 'tail';
        if (isDamage && until === undefined) out.note('--mode last-good shows what can be kept');
        throw error;
      },
    );
    const { log, snapshot, setAside, removed } = recovered;
    const { damage, lastLsn } = log;
    // What is older than the snapshot stays too, and is not needed for the state.
    const records = snapshot === undefined ? log.records : recovered.replayed;
    const firstLsn = snapshot === undefined ? log.firstLsn : snapshot.lsn + 1;
    if (out.json) {
      const kept = { records, firstLsn, lastLsn, snapshot: snapshot?.lsn };
      const torn = damage?.isTorn === true;
      return out.document({
        command: 'journal recover',
        applied: applies,
        mode: recovery,
        kept,
        torn,
        damage: damageFacts(damage),
        removed,
        setAside,
      });
    }
    const first = keptText(records, firstLsn, snapshot?.lsn);
    for (const line of [first, ...removedLines(removed), ...planLines(log)])
      await out.line(plainText(line));
    for (const name of setAside) await out.line(plainText(`set aside as ${name}`));
    await out.flush();
    if (damage === undefined && setAside.length === 0) out.note('nothing to recover');
    else out.note(applies ? 'recovered' : 'nothing was changed; --apply does it');
  },
};

async function recoverLog(
  dir: string,
  recovery: 'tail' | 'last-good',
  applies: boolean,
): Promise<Omit<JournalRecovery, 'ignored' | 'lsn'>> {
  const facts = { snapshot: undefined, replayed: 0 };
  if (!applies) return { log: await inspectWal(dir, { recovery }), setAside: [], ...facts };
  const wal = await openWal(dir, { recovery, reserveBytes: 0 });
  await wal.close();
  return { log: wal.recovery, setAside: wal.recovery.setAside, ...facts };
}

function modeOf(call: Call): 'tail' | 'last-good' {
  const mode = call.text('mode') ?? 'tail';
  if (mode === 'tail' || mode === 'last-good') return mode;
  throw usage('--mode is tail or last-good', mode);
}

function untilOf(call: Call): JournalPoint | undefined {
  const lsn = call.count('until-lsn');
  const time = call.text('until-time');
  if (time === undefined) return lsn === undefined ? undefined : { lsn };
  if (lsn !== undefined) throw usage('--until-lsn and --until-time exclude each other');
  // Without a zone it would be another moment on another machine.
  const timeMs = /T.*(Z|[+-]\d\d:\d\d)$/.test(time) ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(timeMs)) throw usage('--until-time is like 2026-01-02T03:04:05.123Z', time);
  return { timeMs };
}

function removedLines(removed: JournalRecovery['removed']): string[] {
  if (removed === undefined) return [];
  const { records, bytes } = removed;
  return [`cut  ${countText(records, 'record')} behind, ${bytesText(bytes)} of log`];
}

function keptText(records: number, firstLsn: number, snapshot: number | undefined): string {
  const base = snapshot === undefined ? '' : `the snapshot of record ${snapshot}, and behind it `;
  const lsns = records === 0 ? '' : `, LSN ${firstLsn} to ${firstLsn + records - 1}`;
  return `keep ${base}${countText(records, 'record')}${lsns}`;
}

function planLines({ damage }: RecoveryReport): string[] {
  if (damage === undefined) return [];
  const { segment, offset, lsn, bytesCut, isTorn, error } = damage;
  const what = isTorn ? 'a write that a crash cut short' : `damage (${error.code})`;
  const cut = `cut  ${bytesText(bytesCut)} behind record ${lsn - 1}: ${what}`;
  return [cut, `at   offset ${offset} of ${segment}`];
}
