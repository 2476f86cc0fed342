/** `lode journal recover`: what a crash or a failing disk left is cut off and set aside; a plan unless told to apply it. */
import { isLodeError } from 'lode';
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
    const recovered = await (found ?? recoverLog(dir, recovery, applies)).catch(
      (error: unknown) => {
        const isDamage = isLodeError(error) && error.kind === 'corrupt' && recovery === 'tail';
        if (isDamage) out.note('--mode last-good shows what can be kept');
        throw error;
      },
    );
    const { log, snapshot, setAside } = recovered;
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
        setAside,
      });
    }
    const first = keptText(records, firstLsn, snapshot?.lsn);
    for (const line of [first, ...planLines(log)]) await out.line(plainText(line));
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
): Promise<Pick<JournalRecovery, 'log' | 'setAside' | 'snapshot' | 'replayed'>> {
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
