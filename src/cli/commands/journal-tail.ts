/** `lode journal tail`: records of a journal as lines, and on request those that are still to come. */
import { openWal, readWal } from 'lode/journal';
import type { WalRecord } from 'lode/journal';
import type { Command } from '../command.ts';
import { usage } from '../command.ts';
import { journalOf } from '../journal.ts';
import { jsonText } from '../json.ts';
import { bytesText, plainText, timeText } from '../text.ts';

const charsMax = 80;
const strict = new TextDecoder('utf-8', { fatal: true });

export const command: Command = {
  options: { follow: { type: 'boolean', short: 'f' }, from: { type: 'string' } },
  takes: [1, 1],
  names: ['DIR'],
  async run(call) {
    const { out, signal } = call;
    const from = call.count('from');
    if (from === 0) throw usage('LSNs begin with 1', '0');
    const follow = call.flag('follow');
    const { dir, log } = await journalOf(call);
    const options = { signal, ...(from !== undefined && { from }) };
    const print = async (records: AsyncIterable<WalRecord>): Promise<void> => {
      for await (const record of records) {
        await out.line(out.json ? documentOf(record) : lineOf(record));
        if (follow) await out.flush();
      }
    };
    const { damage } = log;
    if (damage?.isTorn !== false) return print(readWal(dir, { follow, ...options }));
    await using salvaged = await openWal(dir, { recovery: 'salvage' });
    await print(salvaged.cursor(options));
    throw damage.error;
  },
};

/** A document a record, as there is no end to a log that is followed. */
function documentOf({ lsn, timeMs, bytes }: WalRecord): string {
  const text = textOf(bytes);
  const content = text === undefined ? { base64: Buffer.from(bytes).toString('base64') } : { text };
  return jsonText({ version: 1, lsn, time: timeText(timeMs), bytes: bytes.length, ...content });
}

function lineOf({ lsn, timeMs, bytes }: WalRecord): string {
  const text = textOf(bytes) ?? Buffer.from(bytes.subarray(0, charsMax)).toString('base64');
  const shown = plainText(text.slice(0, charsMax));
  const cut = shown.length > charsMax || text.length > charsMax;
  const content = cut ? `${shown.slice(0, charsMax - 1)}…` : shown;
  return `${lsn}  ${timeText(timeMs)}  ${bytesText(bytes.length)}  ${content}`.trimEnd();
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}
