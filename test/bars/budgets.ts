/** budgets: the requests, depth and width of every dataset operation, exactly, with 1, 100 and 10,000 snapshots in
 * place, and of every volume operation with 10, 1,000 and 10,000 blocks. */
import type { Bar } from '../../bench/harness.ts';
import { budgets } from '../budgets/check.ts';
import { volumeBudgets } from '../budgets/volume.ts';

export const bar: Bar = {
  id: 'budgets',
  title: 'requests and depth of every dataset and volume operation, exactly',
  async run({ log }) {
    let rows = 0;
    let missed = 0;
    for (const snapshots of [1, 100, 10_000]) {
      for await (const { place, name, measured, differs } of budgets(snapshots)) {
        const { puts, gets, heads, lists, deletes, depth, parallel } = measured;
        const requests = puts + gets + heads + lists + deletes;
        log(
          `S ${snapshots}, ${place}, ${name}: ${requests} requests, depth ${depth}, ${parallel} at once, ` +
            `${measured.bytesUp} bytes up, ${measured.bytesDown} down` +
            (differs.length > 0 ? ` - ${differs.join(', ')}` : ''),
        );
        rows++;
        if (differs.length > 0) missed++;
      }
    }
    for (const blocks of [10, 1_000, 10_000]) {
      for await (const { place, name, asked, budget } of volumeBudgets(blocks)) {
        const { requests, depth, parallel } = asked;
        log(
          `B ${blocks}, ${place}, ${name}: ${requests} requests, depth ${depth}, ${parallel} at once`,
        );
        rows++;
        const isKept = requests === budget.requests && depth === budget.depth;
        if (!isKept || parallel !== budget.parallel) missed++;
      }
    }
    return {
      outcome: missed === 0 ? 'pass' : 'fail',
      figure: `${rows} rows, ${missed} not as budgeted (bar 0)`,
    };
  },
};
