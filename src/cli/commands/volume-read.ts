/** `lode volume read`: bytes of a volume to stdout; where any are missing, none are written. */
import type { Command } from '../command.ts';
import { usage } from '../command.ts';
import { findSnapshot, openNamedVolume } from '../find.ts';
import { rangeOf } from '../range.ts';

export const command: Command = {
  options: { range: { type: 'string' }, partial: { type: 'boolean' } },
  takes: [2, 3],
  names: ['STORE', 'VOLUME'],
  async run(call) {
    const { out, signal } = call;
    if (call.json) throw usage('volume read has no --json: it writes bytes as they are');
    const volume = await openNamedVolume(call);
    const range = rangeOf(call.text('range') ?? '0-', volume.length);
    const snapshot = await findSnapshot(volume, call.args[2], signal);
    const verified = !call.flag('partial');
    for await (const chunk of volume.stream(snapshot, range, { verified, signal }))
      await out.bytes(chunk);
  },
};
