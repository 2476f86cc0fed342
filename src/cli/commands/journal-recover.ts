/** `lode journal recover`: what a crash or a failing disk left is cut off and set aside; a plan unless told to apply it. */
import { inspectWal, openWal, recover } from 'lode/journal';
import type { JournalRecovery, RecoveryReport } from 'lode/journal';
import type { Call, Command } from '../command.ts';
import { usage } from '../command.ts';
import { damageFacts, journalOf } from '../journal.ts';
import { bytesText, countText, plainText } from '../text.ts';

export const command: Command = {
  options: {
    apply: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    mode: { type: 'string' },
  },
  takes: [1, 1],
  names: ['DIR'],
  async run(call) {
    const { out, applies } = call;
    const recovery = modeOf(call);
    const { dir, snapshots } = await journalOf(call);
    // A log of its own has no snapshots, and may begin anywhere.
    const found = snapshots.length > 0 ? recover(dir, { recovery, dryRun: !applies }) : undefined;
    const { log, snapshot, setAside } = await (found ?? recoverLog(dir, recovery, applies));
    const { damage, records, firstLsn, lastLsn } = log;
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
        setAside,
      });
    }
    for (const line of planLines(log, snapshot?.lsn)) await out.line(plainText(line));
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
): Promise<Pick<JournalRecovery, 'log' | 'setAside' | 'snapshot'>> {
  const snapshot = undefined;
  if (!applies) return { log: await inspectWal(dir, { recovery }), setAside: [], snapshot };
  const wal = await openWal(dir, { recovery, reserveBytes: 0 });
  await wal.close();
  return { log: wal.recovery, setAside: wal.recovery.setAside, snapshot };
}

function modeOf(call: Call): 'tail' | 'last-good' {
  const mode = call.text('mode') ?? 'tail';
  if (mode === 'tail' || mode === 'last-good') return mode;
  throw usage('--mode is tail or last-good', mode);
}

function planLines(report: RecoveryReport, snapshot: number | undefined): string[] {
  const { records, firstLsn, lastLsn, damage } = report;
  const kept = records === 0 ? '' : `, LSN ${firstLsn} to ${lastLsn}`;
  const base = snapshot === undefined ? '' : `, and the snapshot of record ${snapshot}`;
  const lines = [`keep ${countText(records, 'record')}${kept}${base}`];
  if (damage === undefined) return lines;
  const { segment, offset, lsn, bytesCut, isTorn, error } = damage;
  const what = isTorn ? 'a write that a crash cut short' : `damage (${error.code})`;
  lines.push(`cut  ${bytesText(bytesCut)} behind record ${lsn - 1}: ${what}`);
  lines.push(`at   offset ${offset} of ${segment}`);
  return lines;
}
