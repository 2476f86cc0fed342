/** P2: 64 appends in flight, each promise durable, against groups of 64 written and synced by hand on the calling thread. */
import { compare, heldTo } from '../harness.ts';
import type { Bar } from '../harness.ts';
import { contest, record } from '../wal-rows.ts';

const wanted = 0.35;
const inFlight = 64;
const each = 60;

export const bar: Bar = {
  id: 'P2',
  title: 'the log, 64 durable appends in flight, against raw groups of 64',
  async run({ log }) {
    await using sides = await contest();
    const { wal, raw } = sides;
    const group = Buffer.concat(Array.from({ length: inFlight }, () => record));
    const result = await heldTo(wanted, async () => {
      const ours = async (): Promise<void> => {
        const writers = Array.from({ length: inFlight }, async () => {
          for (let i = 0; i < each; i++) await wal.append(record).durable;
        });
        await Promise.all(writers);
      };
      const theirs = (): void => {
        for (let i = 0; i < each; i++) raw.appendSync(group);
      };
      return (await compare(ours, theirs, { name: 'in flight', rounds: 11, log })).ratio;
    });
    const figure = `ratio ${result.value.toFixed(2)} (bar ${wanted})`;
    return { outcome: result.pass ? 'pass' : 'fail', figure };
  },
};
