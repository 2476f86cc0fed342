/**
 * What is done about a log that a crash or a failing disk left: nothing, a cut, or a refusal (docs/formats/journal.md,
 * section 6). Bytes that are cut are moved aside, never destroyed.
 *
 * A crash anywhere in here leaves a log that the same recovery brings to the same end. What it has settled it seals, so the
 * next opening finds nothing to do.
 */
import { sameContent } from '../../bytes/index.ts';
import type { Disk, DiskFile } from '../../disk/disk.ts';
import type { Examination, ReadSegment, SegmentFile } from './examine.ts';
import { frameHeaderBytes } from './frame.ts';
import { isBlank } from './frame-scanner.ts';
import { FrameWriter } from './frame-writer.ts';
import { asideName, cutName, unfinished } from './names.ts';
import { recordKinds } from './record.ts';
import { encodeSeal } from './segment-header.ts';
import type { RecoveryMode, RecoveryReport } from './types.ts';

/** Throws what the mode refuses. Changes nothing. */
export function assertRecoverable(examination: Examination, mode: RecoveryMode): void {
  const { problem, notes } = examination;
  const accepted = mode === 'salvage' || mode === 'last-good' || problem?.fault.isTorn === true;
  if (problem !== undefined && (mode === 'strict' || !accepted)) throw problem.error;
  if (mode === 'strict' && notes[0] !== undefined) throw notes[0];
}

export function reportOf(
  examination: Examination,
  mode: RecoveryMode,
  action: RecoveryReport['action'],
  after: number | undefined,
): RecoveryReport {
  const { read, problem, files, notes } = examination;
  const last = read.at(-1);
  const lastLsn = Math.max(after ?? 0, last?.scan.lastLsn ?? 0);
  return {
    mode,
    action,
    segments: read.length,
    records: read.reduce((sum, { scan }) => sum + scan.records, 0),
    firstLsn: read[0]?.firstLsn ?? lastLsn + 1,
    lastLsn: last?.scan.lastLsn ?? lastLsn,
    ...(problem && {
      damage: {
        segment: files[problem.at]?.name ?? '',
        offset: problem.fault.offset,
        lsn: lastLsn + 1,
        reason: problem.fault.reason,
        expected: problem.fault.expected,
        actual: problem.fault.actual,
        isTorn: problem.fault.isTorn,
        bytesCut: bytesBehind(examination),
        error: problem.error,
      },
    }),
    setAside: [],
    notes,
  };
}

/** What is behind the last record that was read: in segments of their own, and with the rest of the one it is in. */
export function filesBehind({ files, read, problem }: Examination): readonly SegmentFile[] {
  const last = read.at(-1);
  if (last === undefined) return problem === undefined ? [] : files.slice(problem.at);
  return files.slice(files.findIndex(({ name }) => name === last.name) + 1);
}

export function bytesBehind(examination: Examination): number {
  const last = examination.read.at(-1);
  const rest = last === undefined || last.scan.isSealed ? 0 : last.size - last.scan.end;
  return filesBehind(examination).reduce((sum, { size }) => sum + size, rest);
}

/**
 * Carries out what `tail` and `last-good` accept: later segments go aside, the damaged one is cut, and what remains is
 * sealed. Returns the names of the files set aside.
 */
export async function repair(disk: Disk, dir: string, examination: Examination): Promise<string[]> {
  const { read, leftovers } = examination;
  for (const name of leftovers) await disk.unlink(`${dir}/${name}`);
  const last = read.at(-1);
  // Newest first: whatever a crash leaves of these renames, the damage stays where the log ends.
  const behind = filesBehind(examination).map(({ name }) => name);
  const setAside = await moveAside(disk, dir, behind.reverse());
  if (last === undefined || last.scan.isSealed) return setAside;
  const file = await disk.open(last.path, 'write');
  try {
    const cut = await cutOff(disk, dir, file, last);
    if (cut !== undefined) setAside.push(cut);
    await settle(file, last);
  } finally {
    await file.close();
  }
  return setAside;
}

/** Renames files, in this order, so that nobody takes them for part of the journal. Returns their new names. */
export async function moveAside(
  disk: Disk,
  dir: string,
  files: readonly string[],
): Promise<string[]> {
  const setAside: string[] = [];
  for (const name of files) {
    const aside = await freeName(disk, dir, asideName(name));
    await disk.rename(`${dir}/${name}`, `${dir}/${aside}`);
    setAside.push(aside);
  }
  if (setAside.length > 0) await disk.syncDirectory(dir);
  return setAside;
}

/** Moves what is behind the last record aside, durably, before it is cut from the segment. */
async function cutOff(
  disk: Disk,
  dir: string,
  file: DiskFile,
  { name, size, scan }: ReadSegment,
): Promise<string | undefined> {
  if (size === scan.end) return undefined;
  const bytes = new Uint8Array(size - scan.end);
  await file.read(bytes, scan.end);
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length--;
  let cut: string | undefined;
  if (!isBlank(bytes, 0, length)) {
    cut = await freeName(disk, dir, cutName(name, scan.end), bytes.subarray(0, length));
    await writeWhole(disk, dir, cut, bytes.subarray(0, length));
  }
  await file.truncate(scan.end);
  await file.datasync();
  return cut;
}

/**
 * Makes sure of the last group and seals the segment. After a failed sync the machine may show bytes that are not on the disk and
 * take them for written: so they are written again. The seal follows once they are durable: a seal behind missing
 * records would make a torn write look like corruption.
 */
async function settle(file: DiskFile, { header, scan }: ReadSegment): Promise<void> {
  const group = new Uint8Array(scan.end - scan.groupStart);
  await file.read(group, scan.groupStart);
  // So may its length be one that only the machine knows: another one is written with the group, and what it adds the seal replaces.
  await file.truncate(scan.end + frameHeaderBytes);
  await file.write(group, scan.groupStart);
  await file.datasync();
  const { bytes } = sealBytes(header.logNumber, scan.end, scan.running, scan.lastLsn);
  await file.write(bytes, scan.end);
  await file.datasync();
}

/** A name that nothing else has; one that holds just these bytes is a crashed recovery's, and is taken again. */
async function freeName(
  disk: Disk,
  dir: string,
  name: string,
  bytes?: Uint8Array,
): Promise<string> {
  for (let count = 1; ; count++) {
    const free = count === 1 ? name : `${name}-${count}`;
    const path = `${dir}/${free}`;
    const info = await disk.info(path);
    if (info === undefined) return free;
    if (info.size !== bytes?.length) continue;
    const file = await disk.open(path, 'read');
    try {
      const found = new Uint8Array(info.size);
      await file.read(found, 0);
      if (sameContent(found, bytes)) return free;
    } finally {
      await file.close();
    }
  }
}

/** The record that ends a segment at `position`. */
export function sealBytes(
  logNumber: number,
  position: number,
  running: number,
  lastLsn: number,
): { readonly bytes: Uint8Array } {
  const writer = new FrameWriter({ logNumber, position, running });
  const kind = recordKinds.seal;
  writer.add({ kind, lsn: lastLsn + 1, index: 0, timeDelta: 0 }, [
    encodeSeal({ lastLsn, running }),
  ]);
  return writer.take();
}

/** A file that is there whole, durably, or not at all. Replaces one of the same name. */
async function writeWhole(disk: Disk, dir: string, name: string, bytes: Uint8Array): Promise<void> {
  const path = `${dir}/${name}${unfinished}`;
  const file = await disk.open(path, 'open-or-create');
  try {
    await file.truncate(0);
    await file.write(bytes, 0);
    await file.datasync();
  } finally {
    await file.close();
  }
  await disk.rename(path, `${dir}/${name}`);
  await disk.syncDirectory(dir);
}
