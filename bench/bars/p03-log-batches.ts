/** P3: batches of 100 records that become durable together, against the same bytes written and synced by hand. */
import { compare, heldTo } from '../harness.ts';
import type { Bar } from '../harness.ts';
import { contest, record } from '../wal-rows.ts';

const wanted = 0.6;
const batch = 100;
const batches = 100;

export const bar: Bar = {
  id: 'P3',
  title: 'the log, batches of 100 records, against raw batches in a preallocated file',
  async run({ log }) {
    await using sides = await contest();
    const { wal, raw } = sides;
    const whole = Buffer.concat(Array.from({ length: batch }, () => record));
    const result = await heldTo(wanted, async () => {
      const ours = async (): Promise<void> => {
        for (let i = 0; i < batches; i++) {
          let last = wal.append(record);
          for (let j = 1; j < batch; j++) last = wal.append(record);
          await last.durable;
        }
      };
      const theirs = async (): Promise<void> => {
        for (let i = 0; i < batches; i++) await raw.append(whole);
      };
      return (await compare(ours, theirs, { name: 'batches', rounds: 11, log })).ratio;
    });
    const figure = `ratio ${result.value.toFixed(2)} (bar ${wanted})`;
    return { outcome: result.pass ? 'pass' : 'fail', figure };
  },
};
