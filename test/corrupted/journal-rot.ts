/** A closed journal, one changed byte anywhere in its files, and whether verification names the file. */
import type { Disk } from '../../src/disk/disk.ts';
import { memoryDisk } from '../../src/disk/memory.ts';
import { openJournal } from '../../src/journal.ts';
import type { Journal, JournalOptions, JournalVerification } from '../../src/journal.ts';
import { seededRandom, virtualEnv } from '../../src/testing/index.ts';

const dir = '/journal';

export interface JournalRot {
  readonly changed: number;
  readonly located: number;
  readonly falseAlarms: number;
  readonly missed: readonly string[];
}

function open(
  disk: Disk,
  options: Partial<JournalOptions<number[], string>> = {},
): Promise<Journal<number[], string>> {
  return openJournal<number[], string>(dir, {
    initial: () => [],
    apply: (state, event) => void state.push(event.length),
    segmentBytes: 1500,
    preallocateBytes: 0,
    reserveBytes: 0,
    env: virtualEnv(),
    disk,
    ...options,
  });
}

/**
 * Of one opening: the seal of a segment that a later opening follows counts for nothing (docs/formats/journal.md, section 4), and is not
 * missed when it is damaged.
 */
async function cleanJournal(seed: number): Promise<Disk> {
  const random = seededRandom(seed);
  const disk = memoryDisk();
  await disk.makeDirectory(dir);
  const journal = await open(disk);
  // With fewer snapshots than are kept, all of the log counts.
  for (let round = 0; round <= seed % 3; round++) {
    for (let i = 0; i < 30; i++) await journal.append('x'.repeat(Math.floor(random() * 120)));
    await journal.snapshot();
    await Promise.all([0, 1, 2, 3].map((i) => journal.append('y'.repeat(i))));
  }
  await journal.close();
  return disk;
}

/** Read only, as whoever looks at a damaged journal has to. */
async function verified(disk: Disk): Promise<JournalVerification> {
  const journal = await open(disk, { recovery: 'salvage' });
  try {
    return await journal.verify();
  } finally {
    await journal.close();
  }
}

export async function rotJournals(
  journals: number,
  changes: number,
  seed: number,
): Promise<JournalRot> {
  const random = seededRandom(seed);
  const missed: string[] = [];
  let [changed, located, falseAlarms] = [0, 0, 0];
  for (let n = 0; n < journals; n++) {
    const disk = await cleanJournal(seed + n);
    if (!(await verified(disk)).ok) falseAlarms++;
    const files = (await disk.list(dir))
      .map(({ name }) => name)
      .filter((name) => /\.(log|snap)$/.test(name));
    for (let i = 0; i < changes / journals; i++) {
      const name = files[Math.floor(random() * files.length)] ?? '';
      const file = await disk.open(`${dir}/${name}`, 'write');
      const before = new Uint8Array(1);
      const offset = Math.floor(random() * (await file.info()).size);
      await file.read(before, offset);
      const change = 1 + Math.floor(random() * 255);
      await file.write(Uint8Array.of((before[0] ?? 0) ^ change), offset);
      changed++;
      const { problems } = await verified(disk);
      if (problems.some(({ details }) => details.key === `${dir}/${name}`)) located++;
      else
        missed.push(`${name} at ${offset}: ${problems.map(({ message }) => message).join('; ')}`);
      await file.write(before, offset);
      await file.close();
    }
  }
  return { changed, located, falseAlarms, missed };
}
