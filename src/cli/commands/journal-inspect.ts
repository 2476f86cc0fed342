/** `lode journal inspect`: segments and snapshots of a journal, as far as they verify. */
import type { InspectedSegment, RecoveryDamage } from 'lode/journal';
import type { Command } from '../command.ts';
import { exitCodes, errorFacts } from '../failure.ts';
import { checkSnapshot, damageFacts, hexText, journalOf, tornText, whenText } from '../journal.ts';
import type { CheckedSnapshot } from '../journal.ts';
import { bytesText, columnsText, countText, plainText } from '../text.ts';

export const command: Command = {
  options: {},
  takes: [1, 1],
  names: ['DIR'],
  async run(call) {
    const { out } = call;
    const { dir, log, snapshots: names, unfinished } = await journalOf(call);
    const snapshots: CheckedSnapshot[] = [];
    for (const name of names) snapshots.push(await checkSnapshot(dir, name, log.journalId));
    const { damage } = log;
    const isDamaged =
      unfinished !== undefined ||
      damage?.isTorn === false ||
      snapshots.some(({ error }) => error !== undefined);
    if (out.json) {
      const { journalId, firstLsn, lastLsn, records, leftovers } = log;
      const torn = damage?.isTorn === true ? damageFacts(damage) : undefined;
      await out.document({
        command: 'journal inspect',
        journal: journalId,
        firstLsn,
        lastLsn,
        records,
        segments: log.files.map(segmentFacts),
        snapshots: snapshots.map(snapshotFacts),
        leftovers,
        unfinished: unfinished && errorFacts(unfinished),
        torn,
        damage: torn === undefined ? damageFacts(damage) : undefined,
      });
      return isDamaged ? exitCodes.damaged : exitCodes.ok;
    }
    const rows = [
      ['journal', log.journalId ?? 'unknown'],
      ['records', `${log.records}, LSN ${log.firstLsn} to ${log.lastLsn}`],
    ];
    for (const line of columnsText(rows)) await out.line(line);
    if (log.files.length > 0) {
      const titles = ['segment', 'epoch', 'LSN', 'records', 'bytes', 'checksum', 'last', 'state'];
      const table = [titles, ...log.files.map((segment) => segmentRow(segment, damage))];
      for (const line of ['', ...columnsText(table, [1, 3, 4])]) await out.line(line);
    }
    if (snapshots.length > 0) {
      const table = [['snapshot', 'of', 'bytes', 'codec', 'state'], ...snapshots.map(snapshotRow)];
      for (const line of ['', ...columnsText(table, [2])]) await out.line(plainText(line));
    }
    await out.flush();
    if (damage?.isTorn === true) out.note(plainText(tornText(damage)));
    else if (damage !== undefined)
      out.note(plainText(`${damage.segment}: ${damage.error.message}`));
    if (unfinished !== undefined) out.note(plainText(unfinished.message));
    if (log.leftovers.length > 0)
      out.note(`${countText(log.leftovers.length, 'file')} left unfinished by a crash`);
    return isDamaged ? exitCodes.damaged : exitCodes.ok;
  },
};

function segmentRow(segment: InspectedSegment, damage: RecoveryDamage | undefined): string[] {
  const { name, epoch, firstLsn, lastLsn, records, bytes, checksum, timeMs, isSealed } = segment;
  const lsns = records === 0 ? `${firstLsn}…` : `${firstLsn}…${lastLsn}`;
  const isBad = damage?.isTorn === false && damage.segment === name;
  const state = isBad ? 'damaged' : isSealed ? 'sealed' : 'open';
  const facts = [lsns, `${records}`, bytesText(bytes), hexText(checksum), whenText(timeMs)];
  return [name, `${epoch}`, ...facts, state];
}

function snapshotRow({ name, header, stateBytes, error }: CheckedSnapshot): string[] {
  const codec = header === undefined ? '-' : `${header.codec} ${header.version}`.trim();
  const of = header === undefined ? '-' : whenText(header.timeMs);
  return [name, of, bytesText(stateBytes), codec, error === undefined ? 'whole' : 'damaged'];
}

function segmentFacts(segment: InspectedSegment): object {
  const { name, bytes, usedBytes, records, firstLsn, lastLsn, epoch, logNumber } = segment;
  const { begunMs, timeMs, checksum, isSealed } = segment;
  const facts = { name, bytes, usedBytes, records, firstLsn, lastLsn, epoch, logNumber };
  const times = { begun: whenText(begunMs), last: whenText(timeMs) };
  return { ...facts, ...times, checksum: hexText(checksum), sealed: isSealed };
}

function snapshotFacts({ name, lsn, header, stateBytes, error }: CheckedSnapshot): object {
  const { codec, version, timeMs, createdMs } = header ?? {};
  return {
    name,
    lsn,
    stateBytes,
    codec,
    codeVersion: version,
    of: timeMs === undefined ? undefined : whenText(timeMs),
    created: createdMs === undefined ? undefined : whenText(createdMs),
    error: error === undefined ? undefined : errorFacts(error),
  };
}
