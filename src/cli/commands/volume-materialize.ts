/** `lode volume materialize`: a volume as a local file; stopped at any time, it goes on where it was. */
import { stat } from 'node:fs/promises';
import { LodeError } from 'lode';
import type { CopyOutReport, Volume, VolumeRange, VolumeSnapshot } from 'lode';
import type { Call, Command } from '../command.ts';
import { usage } from '../command.ts';
import { snapshotFacts } from '../facts.ts';
import { findSnapshot, openNamedVolume } from '../find.ts';
import { rangeOf } from '../range.ts';
import { bytesText, countText, plainText } from '../text.ts';

export const command: Command = {
  options: { range: { type: 'string' }, holes: { type: 'boolean' } },
  takes: [3, 4],
  names: ['STORE', 'VOLUME', 'FILE'],
  async run(call) {
    const { out, signal } = call;
    const path = call.arg(2);
    const volume = await openNamedVolume(call);
    const range = rangeOf(call.text('range') ?? '0-', volume.length);
    const snapshot = await findSnapshot(volume, call.args[3], signal);
    await assertMayBeCopy(path, volume);
    if (!call.flag('holes')) assertNoGaps(volume, snapshot, range);
    const { materialize } = await import('lode/fs');
    const report = await materialize(volume, path, {
      snapshot,
      range,
      signal,
      onProgress: ({ copiedBytes, keptBytes }) =>
        out.progress(() => {
          const kept = keptBytes === 0 ? '' : `, ${bytesText(keptBytes)} there already`;
          return `${volume.id}: ${bytesText(copiedBytes)} copied${kept}`;
        }),
    });
    if (!out.json) return out.note(summary(call, volume, report));
    const { blocks, copiedBytes, keptBytes, gaps } = report;
    const counts = { length: volume.length, blocks, copiedBytes, keptBytes };
    await out.document({
      command: 'volume materialize',
      volume: volume.id,
      snapshot: snapshotFacts(snapshot.manifest),
      file: path,
      ...counts,
      gaps,
    });
  },
};

/** A file with holes reads as zeros where nobody committed any: only for whoever asks for it. */
function assertNoGaps(volume: Volume, snapshot: VolumeSnapshot, range: VolumeRange): void {
  const gaps = volume.missing(snapshot, range);
  const [first] = gaps;
  if (first === undefined) return;
  throw new LodeError('LODE_RANGE_MISSING', 'the file would have holes', {
    volume: volume.id,
    snapshot: snapshot.id,
    offset: first.offset,
    gaps,
    next: 'Fill the volume first, or take holes for what is missing: --holes.',
  });
}

/** What an interrupted call has left is as long as the volume, or empty. Any other file is somebody's. */
async function assertMayBeCopy(path: string, volume: Volume): Promise<void> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined || (info.isFile() && [0, volume.length].includes(info.size))) return;
  throw usage('FILE is there, and is not as long as the volume: remove it, or name another', path);
}

function summary({ args }: Call, volume: Volume, report: CopyOutReport): string {
  const { blocks, copiedBytes, keptBytes, gaps } = report;
  const kept = keptBytes === 0 ? '' : `, ${bytesText(keptBytes)} there already`;
  const holes = gaps.length === 0 ? '' : `; ${countText(gaps.length, 'hole')} for what is missing`;
  const counts = `${countText(blocks, 'block')}, ${bytesText(copiedBytes)} copied${kept}${holes}`;
  return `${plainText(volume.id)} in ${plainText(args[2] ?? '')}: ${counts}`;
}
