/** `lode volume map`: which bytes of a volume are there, as a picture, a list of gaps, or a document. */
import type { Command } from '../command.ts';
import { snapshotFacts } from '../facts.ts';
import { findSnapshot, openNamedVolume } from '../find.ts';
import { pictureOf } from '../picture.ts';
import { rangeText } from '../range.ts';
import { columnsText, countText, plainText } from '../text.ts';
import { lengthText, placeRows } from '../volume-facts.ts';

export const command: Command = {
  options: { missing: { type: 'boolean' } },
  takes: [2, 3],
  names: ['STORE', 'VOLUME'],
  async run(call) {
    const { out, signal } = call;
    const volume = await openNamedVolume(call);
    const snapshot = await findSnapshot(volume, call.args[2], signal);
    const missing = volume.missing(snapshot);
    if (call.flag('missing') && !out.json) {
      for (const gap of missing) await out.line(rangeText(gap));
      return;
    }
    const covered = volume.coverage(snapshot);
    const { manifest, coveredBytes } = snapshot;
    if (out.json) {
      const { id } = volume;
      const facts = { command: 'volume map', volume: id, snapshot: snapshotFacts(manifest) };
      const missingBytes = volume.length - coveredBytes;
      return out.list({ ...facts, coveredBytes, missingBytes }, { covered, missing });
    }
    const rows = [
      ['volume', volume.id],
      ...placeRows(manifest),
      ['blocks', `${manifest.blocks.count} in ${countText(covered.length, 'range')}`],
      [
        'missing',
        snapshot.complete
          ? 'nothing'
          : `${lengthText(volume.length - coveredBytes)} in ${countText(missing.length, 'gap')}`,
      ],
    ];
    for (const line of columnsText(rows.map((row) => row.map(plainText)))) await out.line(line);
    const { lines, cellBytes } = pictureOf(covered, volume.length, out.columns);
    await out.line('');
    for (const line of lines) await out.line(line);
    await out.line(`a character is ${lengthText(cellBytes)}: █ there, ░▒▓ in part, · missing`);
  },
};
