/**
 * Logs that a crash, a failing disk or a hand left: cut, altered, blank in parts, with segments missing or exchanged. Small, so
 * that every change is likely to hit something.
 */
import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openWal } from '../../src/journal.ts';
import { seededRandom } from '../../src/testing/index.ts';

export interface Damaged {
  readonly name: string;
  readonly dir: string;
}

type Files = readonly (readonly [name: string, bytes: Buffer])[];
type Pick = (below: number) => number;

const casesEach = 24;

export async function damages(root: string, seed = 20_261): Promise<Damaged[]> {
  const random = seededRandom(seed);
  const pick: Pick = (below) => Math.floor(random() * below);
  const cases: Damaged[] = [];
  for (const [kind, log] of Object.entries(await logs(root))) {
    for (const [change, make] of Object.entries(changes)) {
      for (let i = 0; i < casesEach; i++) {
        const dir = await mkdtemp(join(root, 'case-'));
        for (const [name, bytes] of make(log, pick)) await writeFile(join(dir, name), bytes);
        cases.push({ name: `${kind}: ${change} ${i} of seed ${seed}`, dir });
      }
    }
  }
  return cases;
}

/** One that was closed, and one whose writer was killed behind a group of several pages. */
async function logs(root: string): Promise<Record<string, Files>> {
  const dir = await mkdtemp(join(root, 'log-'));
  const found: Record<string, Files> = {};
  for (const name of ['closed', 'killed']) {
    const wal = await openWal(dir, { preallocateBytes: 1024, reserveBytes: 0 });
    for (const lengths of [[3, 40], [0], [200, 1, 700]]) await append(wal, lengths);
    await wal.rotate();
    await append(wal, [10]);
    await append(wal, name === 'killed' ? [5, 33_000, 20] : [20, 5]);
    if (name === 'killed') found[name] = await filesOf(dir);
    await wal.close();
    if (name === 'closed') found[name] = await filesOf(dir);
  }
  return found;
}

async function append(
  wal: Awaited<ReturnType<typeof openWal>>,
  lengths: readonly number[],
): Promise<void> {
  await Promise.all(lengths.map((length) => wal.append(new Uint8Array(length).fill(7)).durable));
}

async function filesOf(dir: string): Promise<Files> {
  const names = (await readdir(dir)).filter((name) => name.endsWith('.log')).sort();
  return Promise.all(names.map(async (name) => [name, await readFile(join(dir, name))] as const));
}

/** A log with one file replaced. */
function replaced(log: Files, at: number, change: (bytes: Buffer) => Buffer): Files {
  return log.map(([name, bytes], i) => [name, i === at ? change(Buffer.from(bytes)) : bytes]);
}

function flipped(bytes: Buffer, at: number, mask: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ mask;
  return bytes;
}

const changes: Readonly<Record<string, (log: Files, pick: Pick) => Files>> = {
  nothing: (log) => log,
  'bit flipped': (log, pick) =>
    replaced(log, pick(log.length), (bytes) => flipped(bytes, pick(bytes.length), 1 << pick(8))),
  'bit flipped near the start': (log, pick) =>
    replaced(log, pick(log.length), (bytes) =>
      flipped(bytes, pick(Math.min(bytes.length, 200)), 1 << pick(8)),
    ),
  'last segment cut': (log, pick) =>
    replaced(log, log.length - 1, (bytes) => bytes.subarray(0, 88 + pick(bytes.length - 88))),
  'a segment cut': (log, pick) =>
    replaced(log, pick(log.length), (bytes) => bytes.subarray(0, pick(bytes.length))),
  'sector of the last segment not written': (log, pick) =>
    replaced(log, log.length - 1, (bytes) => {
      const from = pick(bytes.length >> 9) << 9 || 107;
      return bytes.fill(0, from, Math.min(bytes.length, from + (1 + pick(4)) * 512));
    }),
  'something behind the end': (log, pick) =>
    replaced(log, log.length - 1, (bytes) => {
      const other = log[pick(log.length)]?.[1] ?? bytes;
      const from = pick(other.length);
      return Buffer.concat([bytes, other.subarray(from, from + pick(400))]);
    }),
  'segment missing': (log, pick) => {
    const at = pick(log.length);
    return log.filter((_, i) => i !== at);
  },
  'segments exchanged': (log, pick) => {
    const at = pick(log.length - 1);
    const [one, other] = [log[at]?.[1], log[at + 1]?.[1]];
    return log.map(([name, bytes], i) => [
      name,
      (i === at ? other : i === at + 1 ? one : undefined) ?? bytes,
    ]);
  },
  'segment doubled': (log, pick) => {
    const [, bytes] = log[pick(log.length)] ?? ['', Buffer.alloc(0)];
    return [...log, [`wal-${String(30 + pick(100)).padStart(20, '0')}.log`, bytes]];
  },
};
