/** `lode volume fill`: uploads what a volume lacks of a file; stopped at any time, it goes on where it was. */
import { isLodeError, openVolume, systemEnv } from 'lode';
import type { Store, Volume } from 'lode';
import type { Call, Command } from '../command.ts';
import { usage } from '../command.ts';
import { snapshotFacts } from '../facts.ts';
import { assertSameBytes } from '../file-check.ts';
import { Filling } from '../filling.ts';
import { openStore } from '../open-store.ts';
import { sizeOf } from '../range.ts';
import { SourceFile } from '../source-file.ts';
import { bytesText, countText, plainText, shareText } from '../text.ts';

export const command: Command = {
  options: {
    length: { type: 'string' },
    offset: { type: 'string' },
    block: { type: 'string' },
    batch: { type: 'string' },
    check: { type: 'boolean' },
    'dry-run': { type: 'boolean', short: 'n' },
  },
  takes: [3, 3],
  names: ['STORE', 'VOLUME', 'FILE'],
  async run(call) {
    const { out, signal } = call;
    const blockBytes = amountOf(call, 'block', '8MiB');
    const batchBytes = amountOf(call, 'batch', '256MiB');
    const file = await SourceFile.open(call.arg(2));
    call.atEnd(() => file.close());
    const store = await openStore(call);
    const volume = await openFor(call, store, file, blockBytes);
    const offset = placeOf(call, volume, file);
    const onProgress = (): void => out.progress(progress);
    const filling = new Filling(volume, file, {
      offset,
      blockBytes,
      batchBytes,
      signal,
      onProgress,
    });
    await filling.look();
    if (filling.head !== undefined)
      await assertSameBytes(volume, filling.head, file, {
        offset,
        whole: call.flag('check'),
        signal,
        onProgress: (bytes) => out.progress(() => `${volume.id}: ${bytesText(bytes)} compared`),
      });
    const started = systemEnv.monotonic();
    const wanted = sum(filling);
    const progress = (): string => progressText(volume, filling, wanted, started);
    if (call.flag('dry-run')) {
      if (!out.json) out.note(`${plainText(volume.id)}: ${bytesText(wanted)} to upload`);
    } else await filled(call, volume, filling);
    if (out.json) await out.document(factsOf(call, volume, filling));
  },
};

async function filled(call: Call, volume: Volume, filling: Filling): Promise<void> {
  const { out } = call;
  const name = plainText(volume.id);
  try {
    await filling.run();
    out.note(`${name}: ${resultText(filling)}; ${thereText(volume, filling)}`);
  } catch (error) {
    if (filling.commits > 0)
      out.note(
        `${name}: ${resultText(filling)}; ${thereText(volume, filling)}; the same call goes on`,
      );
    throw error;
  }
}

/** The volume, as long as it is, or as it is to be. */
async function openFor(
  call: Call,
  store: Store,
  file: SourceFile,
  blockBytes: number,
): Promise<Volume> {
  const { signal } = call;
  const options = { store, signal, blockBytes };
  const length = sizeIn(call, 'length');
  if (length !== undefined) return openVolume(call.arg(1), { ...options, length });
  try {
    return await openVolume(call.arg(1), options);
  } catch (error) {
    if (!isLodeError(error, 'LODE_NO_SNAPSHOTS')) throw error;
    const end = (sizeIn(call, 'offset') ?? 0) + file.size;
    return openVolume(call.arg(1), { ...options, length: end });
  }
}

/** Where the file begins. A file of another length is not taken for an image of the volume. */
function placeOf(call: Call, volume: Volume, file: SourceFile): number {
  const offset = sizeIn(call, 'offset');
  const lengths = `${file.size} of ${volume.length} bytes`;
  if (offset === undefined && file.size !== volume.length)
    throw usage('FILE is not as long as the volume: say with --offset where it begins', lengths);
  if (file.size > volume.length - (offset ?? 0))
    throw usage('FILE goes beyond the end of the volume', lengths);
  return offset ?? 0;
}

function sizeIn(call: Call, name: string): number | undefined {
  const text = call.text(name);
  return text === undefined ? undefined : sizeOf(text);
}

function amountOf(call: Call, name: string, otherwise: string): number {
  const text = call.text(name) ?? otherwise;
  const bytes = sizeOf(text);
  if (bytes > 0) return bytes;
  throw usage(`--${name} is more than nothing`, text);
}

function sum(filling: Filling): number {
  return filling.missing.reduce((bytes, { length }) => bytes + length, 0);
}

function progressText(volume: Volume, filling: Filling, wanted: number, started: number): string {
  const { uploadedBytes } = filling;
  const seconds = Math.max(0.001, (systemEnv.monotonic() - started) / 1000);
  const rate = uploadedBytes / seconds;
  const left = Math.ceil(Math.max(0, wanted - uploadedBytes) / rate);
  const done = `${bytesText(uploadedBytes)} of ${bytesText(wanted)}`;
  return `${volume.id}: ${done}, ${bytesText(Math.round(rate))}/s, ${durationText(left)} left`;
}

function durationText(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function resultText({ uploadedBytes, blocks, adopted, commits }: Filling): string {
  if (blocks === 0) return 'nothing to upload';
  const found = adopted === 0 ? '' : `, ${adopted} of them there already`;
  const all = `${bytesText(uploadedBytes)} in ${countText(blocks, 'block')}${found}`;
  return `${all}, ${countText(commits, 'commit')}`;
}

function thereText(volume: Volume, { head }: Filling): string {
  return `${shareText(head?.coveredBytes ?? 0, volume.length)} is there`;
}

function factsOf(call: Call, volume: Volume, filling: Filling): object {
  const { uploadedBytes, blocks, adopted, commits, head } = filling;
  return {
    command: 'volume fill',
    volume: volume.id,
    length: volume.length,
    dryRun: call.flag('dry-run'),
    uploadedBytes,
    blocks,
    adopted,
    commits,
    missingBytes: volume.length - (head?.coveredBytes ?? 0),
    latest: head && snapshotFacts(head.manifest),
  };
}
