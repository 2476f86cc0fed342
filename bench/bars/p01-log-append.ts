/** P1: one durable record of 100 bytes at a time, against a preallocated file written and synced by hand. */
import { compare, heldTo } from '../harness.ts';
import type { Bar } from '../harness.ts';
import { contest, record } from '../wal-rows.ts';

const bar90 = 0.9;
const appends = 400;

export const bar: Bar = {
  id: 'P1',
  title: 'the log, one durable append at a time, against a raw preallocated file',
  async run({ log }) {
    await using sides = await contest();
    const { wal, raw } = sides;
    const sync = await heldTo(bar90, async () => {
      const ours = (): void => {
        for (let i = 0; i < appends; i++) wal.appendSync(record);
      };
      const theirs = (): void => {
        for (let i = 0; i < appends; i++) raw.appendSync(record);
      };
      return (await compare(ours, theirs, { name: 'sync', rounds: 11, log })).ratio;
    });
    const async = await heldTo(bar90, async () => {
      const ours = async (): Promise<void> => {
        for (let i = 0; i < appends; i++) await wal.append(record).durable;
      };
      const theirs = async (): Promise<void> => {
        for (let i = 0; i < appends; i++) await raw.append(record);
      };
      return (await compare(ours, theirs, { name: 'async', rounds: 11, log })).ratio;
    });
    const figure = `ratio ${sync.value.toFixed(2)} sync, ${async.value.toFixed(2)} async (bar ${bar90})`;
    return { outcome: sync.pass && async.pass ? 'pass' : 'fail', figure };
  },
};
