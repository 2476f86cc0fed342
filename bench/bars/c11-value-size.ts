/**
 * C11: durable appends from 10 bytes to 16 MiB, against a raw write and sync of as many bytes; and a record a little above each
 * limit of the log, against one a little below.
 *
 * Up to 64 KiB the raw file is one that was preallocated, as the log preallocates for such records. Above, it grows: space made ahead
 * costs as much as it saves. What overwriting space that is there already would win is shown, and so is 16 MiB: a record so long is
 * copied and checksummed before any of it is written, which takes as long as writing it.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWal } from '../../src/journal.ts';
import { compare, heldRows, heldTo, type Bar, type BarContext, type Row } from '../harness.ts';
import { contest } from '../wal-rows.ts';

const rawMin = 0.5;
const cliffMax = 2;
const KiB = 1024;
const MiB = 1024 * KiB;
const shownSize = 16 * MiB;
const sizes = [10, 100, KiB, 10 * KiB, 100 * KiB, MiB, 4 * MiB, shownSize];
/** A page; what goes to the disk on the calling thread; what a log writes there; a group. A record is so much longer than its content. */
const limits = { page: 32 * KiB, inline: 64 * KiB, large: MiB, group: 4 * MiB };

export const bar: Bar = {
  id: 'C11',
  title: 'appends from 10 bytes to 16 MiB',
  async run({ release, log }) {
    const rounds = release ? 21 : 9;
    await using sides = await contest();
    const { wal, raw } = sides;
    let largest = Number.NaN;
    let worst = { value: Infinity, name: '' };
    for (const size of sizes) {
      const bytes = new Uint8Array(size).fill(7);
      const count = countFor(size);
      const many = (append: (bytes: Uint8Array) => Promise<void>) => async (): Promise<void> => {
        for (let i = 0; i < count; i++) await append(bytes);
      };
      const isAhead = size <= 64 * KiB;
      const row: Row = {
        name: 'raw',
        min: rawMin,
        theirs: many((content) => (isAhead ? raw.append(content) : raw.grow(content))),
      };
      const over: Row = {
        name: 'raw in space made ahead',
        min: 0,
        theirs: many((content) => raw.append(content)),
      };
      const { rows } = await heldRows(
        many((content) => wal.append(content).durable),
        isAhead ? [row] : [row, over],
        { name: `${count} x ${size} B`, rounds, log },
      );
      const value = rows[0]?.value ?? Number.NaN;
      await wal.release(wal.nextLsn);
      if (size === shownSize) largest = value;
      else if (value < worst.value) worst = { value, name: `${size} B` };
    }
    let steepest = { value: 0, name: '' };
    for (const [name, limit] of Object.entries(limits)) {
      const [below, above] = [limit * 0.98, limit * 1.02].map((size) =>
        new Uint8Array(size).fill(7),
      );
      const { value } = await heldTo(1 / cliffMax, async () => {
        const count = countFor(limit);
        const append = async (bytes = new Uint8Array(0)): Promise<void> => {
          for (let i = 0; i < count; i++) await wal.append(bytes).durable;
        };
        const row = { name: `above and below ${name}, ${limit} B`, rounds, log };
        return (
          await compare(
            () => append(above),
            () => append(below),
            row,
          )
        ).ratio;
      });
      await wal.release(wal.nextLsn);
      if (1 / value > steepest.value) steepest = { value: 1 / value, name };
    }
    const segments = await acrossSegments(log, rounds);
    if (1 / segments.value > steepest.value)
      steepest = { value: 1 / segments.value, name: 'segment' };
    return {
      outcome: worst.value >= rawMin && steepest.value <= cliffMax ? 'pass' : 'fail',
      figure:
        `ratio at least ${worst.value.toFixed(2)} raw, at ${worst.name} (bar ${rawMin}), ${largest.toFixed(2)} at 16 MiB; ` +
        `steepest step x ${steepest.value.toFixed(2)}, at the ${steepest.name} limit (bar ${cliffMax})`,
    };
  },
};

function countFor(size: number): number {
  return Math.max(2, Math.min(200, Math.floor((8 * MiB) / size)));
}

/** 16 MiB in records of 1 MiB: through segments of 8 MiB, against one that takes them all. */
async function acrossSegments(
  log: BarContext['log'],
  rounds: number,
): Promise<{ readonly value: number }> {
  const root = await mkdtemp(join(tmpdir(), 'lode-segments-'));
  const bytes = new Uint8Array(MiB).fill(7);
  try {
    const [few, many] = [join(root, 'few'), join(root, 'many')];
    await mkdir(few);
    await mkdir(many);
    await using long = await openWal(few, { reserveBytes: 0, segmentBytes: 1024 * MiB });
    await using short = await openWal(many, { reserveBytes: 0, segmentBytes: 8 * MiB });
    return await heldTo(1 / cliffMax, async () => {
      const append = async (wal: typeof long): Promise<void> => {
        for (let i = 0; i < 16; i++) await wal.append(bytes).durable;
      };
      const row = { name: 'through segments of 8 MiB, and in one', rounds, log };
      return (
        await compare(
          () => append(short),
          () => append(long),
          row,
        )
      ).ratio;
    });
  } finally {
    await rm(root, { recursive: true });
  }
}
