/**
 * C9: opening a journal as its log grows. Without a snapshot it takes as long as there is log, no longer; with one at 99 % of the log
 * what is behind it counts, and not what is before.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal, type Journal, type JournalCodec } from '../../src/journal.ts';
import { exponentOf } from '../curve.ts';
import { compare, heldTo, median, timed, type Bar } from '../harness.ts';

const exponentMax = 1.05;
const snapshotMax = 1.5;
const rounds = 7;

interface State {
  count: number;
}

/** A codec that takes no time worth counting: what is measured is the journal. */
const codec: { readonly event: JournalCodec<Uint8Array>; readonly state: JournalCodec<State> } = {
  event: { name: 'raw', encode: (event) => event, decode: (bytes) => bytes },
  state: {
    name: 'count',
    encode: ({ count }) => new TextEncoder().encode(String(count)),
    decode: (bytes) => ({ count: Number(new TextDecoder().decode(bytes)) }),
  },
};

function open(dir: string): Promise<Journal<State, Uint8Array>> {
  return openJournal<State, Uint8Array>(dir, {
    initial: () => ({ count: 0 }),
    apply: (state) => void state.count++,
    codec,
    durability: 'os',
    snapshot: { everyBytes: 0 },
  });
}

export const bar: Bar = {
  id: 'C9',
  title: 'opening a journal as its log grows, with and without a snapshot',
  async run({ release, log }) {
    const sizes = release ? [1e4, 1e5, 1e6, 1e7] : [1e4, 1e5, 1e6];
    const longest = sizes.at(-1) ?? 0;
    const root = await mkdtemp(join(tmpdir(), 'lode-recovery-'));
    try {
      for (const size of sizes) await fill(join(root, String(size)), size, size);
      const withSnapshot = join(root, 'snapshot');
      await fill(withSnapshot, longest, longest * 0.99);
      const linear = await heldTo(1 / exponentMax, async () => {
        const costs = sizes.map((): number[] => []);
        for (let round = -1; round < rounds; round++) {
          for (const [i, size] of sizes.entries()) {
            const ms = await timed(() => reopen(join(root, String(size)), size));
            if (round >= 0) costs[i]?.push(ms);
          }
        }
        const points = sizes.map((size, i) => ({ size, cost: median(costs[i] ?? []) }));
        const exponent = exponentOf(points);
        log(
          `ms to open, by events: ${points.map(({ size, cost }) => `${size}: ${cost.toFixed(1)}`).join(', ')}; ` +
            `exponent ${exponent.toFixed(3)}, ${rounds} rounds`,
        );
        return 1 / exponent;
      });
      const short = join(root, String(longest / 100));
      const behind = await heldTo(1 / snapshotMax, async () => {
        const ours = (): Promise<void> => reopen(withSnapshot, longest);
        const theirs = (): Promise<void> => reopen(short, longest / 100);
        const name = `${longest} events with a snapshot at 99 %, against a log of ${longest / 100}`;
        return (await compare(ours, theirs, { name, rounds: 21, log })).ratio;
      });
      return {
        outcome: linear.pass && behind.pass ? 'pass' : 'fail',
        figure:
          `exponent ${(1 / linear.value).toFixed(3)} to ${longest} events (bar ${exponentMax}), ` +
          `with a snapshot x ${(1 / behind.value).toFixed(2)} (bar ${snapshotMax})`,
      };
    } finally {
      await rm(root, { recursive: true });
    }
  },
};

/** @param snapshotAt  Where a snapshot is taken; at the end, none is. */
async function fill(dir: string, count: number, snapshotAt: number): Promise<void> {
  await mkdir(dir);
  await using journal = await open(dir);
  const event = new Uint8Array(100).fill(7);
  for (let i = 1; i <= count; i++) {
    const appended = journal.append(event);
    if (i % 1000 === 0) await appended;
    if (i === snapshotAt && i < count) await journal.snapshot();
  }
}

async function reopen(dir: string, count: number): Promise<void> {
  await using journal = await open(dir);
  if (journal.state.count === count) return;
  throw new Error(`${journal.state.count} events of ${count} were recovered`);
}
