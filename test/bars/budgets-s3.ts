/** budgets-s3: the budgets of a bucket, counted by the server: what every dataset operation and every call of the store asks. */
import type { Bar } from '../../bench/harness.ts';
import type { Finding } from '../budgets/check.ts';
import { s3Budgets, s3CallBudgets } from '../budgets/s3.ts';

export const bar: Bar = {
  id: 'budgets-s3',
  title: 'requests and depth of every operation on S3, by the log of the server',
  async run({ release, log }) {
    let rows = 0;
    let missed = 0;
    const note = (where: string, { name, measured, differs }: Finding): void => {
      const { puts, gets, heads, lists, deletes, depth, parallel } = measured;
      const requests = puts + gets + heads + lists + deletes;
      log(
        `${where}${name}: ${requests} requests, depth ${depth}, ${parallel} at once, ` +
          `${measured.bytesUp} bytes up, ${measured.bytesDown} down` +
          (differs.length > 0 ? ` - ${differs.join(', ')}` : ''),
      );
      rows++;
      if (differs.length > 0) missed++;
    };
    for (const snapshots of release ? [1, 100, 2_500, 10_000] : [1, 100, 2_500])
      for await (const found of s3Budgets(snapshots)) note(`S ${snapshots}, `, found);
    for await (const found of s3CallBudgets()) note('', found);
    return {
      outcome: missed === 0 ? 'pass' : 'fail',
      figure: `${rows} rows, ${missed} not as budgeted (bar 0)`,
    };
  },
};
