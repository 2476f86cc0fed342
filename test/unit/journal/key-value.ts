/** A small key-value journal on a disk in memory. */
import type { Disk } from '../../../src/disk/disk.ts';
import { isLodeError } from '../../../src/errors.ts';
import type { LodeErrorCode } from '../../../src/errors.ts';
import { openJournal } from '../../../src/journal.ts';
import type { Journal, JournalOptions } from '../../../src/journal.ts';
import { memoryDisk } from '../../../src/testing/index.ts';

export interface Entry {
  readonly key: string;
  readonly value: unknown;
}
export type State = Record<string, unknown>;
export type Options = Partial<JournalOptions<State, Entry>>;

export const dir: string = '/journal';

export async function newDisk(): Promise<Disk> {
  const disk = memoryDisk();
  await disk.makeDirectory(dir);
  return disk;
}

export function open(disk: Disk, options: Options = {}): Promise<Journal<State, Entry>> {
  return openJournal<State, Entry>(dir, {
    initial: () => ({}),
    apply: (state, { key, value }) => {
      state[key] = value;
    },
    preallocateBytes: 4096,
    reserveBytes: 0,
    disk,
    ...options,
  });
}

export async function names(disk: Disk, pattern: RegExp): Promise<string[]> {
  return (await disk.list(dir))
    .map(({ name }) => name)
    .filter((name) => pattern.test(name))
    .sort();
}

export const coded =
  (...codes: readonly LodeErrorCode[]) =>
  (error: unknown): boolean =>
    isLodeError(error, ...codes);

export async function write(disk: Disk, count: number, options: Options = {}): Promise<void> {
  await using journal = await open(disk, options);
  for (let i = 1; i <= count; i++) await journal.append({ key: `k${i}`, value: i });
}

/** Every file of the journal, with its bytes, but the note of its owner. */
export async function contents(disk: Disk): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { name } of await disk.list(dir)) {
    if (name === 'owner') continue;
    const file = await disk.open(`${dir}/${name}`, 'read');
    const into = new Uint8Array((await file.info()).size);
    await file.read(into, 0);
    await file.close();
    found.set(name, Buffer.from(into).toString('base64'));
  }
  return found;
}

export async function damage(disk: Disk, name: string, offset: number): Promise<void> {
  const file = await disk.open(`${dir}/${name}`, 'write');
  const byte = new Uint8Array(1);
  await file.read(byte, offset);
  await file.write(Uint8Array.of((byte[0] ?? 0) ^ 0x40), offset);
  await file.close();
}
