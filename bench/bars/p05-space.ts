/**
 * P5: the room a log takes, against the bytes of its records. Counted are the whole segment files once the log is closed: headers,
 * frames, ends of pages and seals. Space that is made ahead of use is gone by then; what an open log has of it is 1 MiB.
 */
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWal } from '../../src/journal.ts';
import type { Bar } from '../harness.ts';

const bytesPerRecord = 16;
const shareMax = 0.01;
const sizes = [10, 100, 1000, 4096, 100_000];
const groups = [1, 64, 100];

export const bar: Bar = {
  id: 'P5',
  title: 'room that the log takes',
  async run({ release, log }) {
    const root = await mkdtemp(join(tmpdir(), 'lode-space-'));
    try {
      let worst = 0;
      for (const size of sizes) {
        const count = Math.min(release ? 1_000_000 : 100_000, Math.ceil(50_000_000 / size));
        for (const group of [...groups, 1000]) {
          const dir = join(root, `${size}-${group}`);
          await mkdir(dir);
          const bytes = await bytesOf(dir, size, count, group);
          const payload = count * size;
          const ratio = bytes / (payload + count * bytesPerRecord + payload * shareMax);
          const isHeld = groups.includes(group);
          log(
            `${count} x ${size} B, groups of ${group}: payload + ${((bytes - payload) / count).toFixed(2)} B a record, ` +
              `${ratio.toFixed(4)} of the bar${isHeld ? '' : ' (shown only)'}`,
          );
          if (isHeld) worst = Math.max(worst, ratio);
          await rm(dir, { recursive: true });
        }
      }
      return {
        outcome: worst <= 1 ? 'pass' : 'fail',
        figure: `at most ${worst.toFixed(4)} of payload + ${bytesPerRecord} B a record + ${shareMax * 100} % (bar 1)`,
      };
    } finally {
      await rm(root, { recursive: true });
    }
  },
};

async function bytesOf(dir: string, size: number, count: number, group: number): Promise<number> {
  const wal = await openWal(dir, { durability: 'os' });
  await wal.ready();
  const record = new Uint8Array(size).fill(7);
  for (let i = 1; i <= count; i++) {
    // Without waiting for a disk: synchronous groups of one, or as many as are awaited together.
    if (group === 1) wal.appendSync(record);
    else if (i % group === 0) await wal.append(record).durable;
    else wal.append(record);
    if (group === 1 && i % 10_000 === 0) await wal.ready();
  }
  await wal.close();
  const names = (await readdir(dir)).filter((name) => name.endsWith('.log'));
  const files = await Promise.all(names.map((name) => stat(join(dir, name))));
  return files.reduce((sum, file) => sum + file.size, 0);
}
