/**
 * C1: a write costs the same whether there are ten snapshots or ten thousand: in requests, in bytes, in time. Time is
 * processor time, all sizes in turn in one process.
 */
import { jsonl, memoryStore, openDataset } from '../../src/index.ts';
import type { CommittedSnapshot, Dataset } from '../../src/index.ts';
import { cpuMs, curve } from '../curve.ts';
import type { Bar } from '../harness.ts';
import { heldTo, median } from '../harness.ts';

const sizes = [10, 100, 1_000, 10_000];
const slowdownMax = 1.2;
const bytesSpreadMax = 0.05;
/** Writes measured a round: on several histories where they would otherwise outgrow the size they stand for. */
const writes = 200;

type Row = { readonly id: number };
const rows: readonly Row[] = [{ id: 1 }];

async function filled(snapshots: number): Promise<Dataset<Row>> {
  const dataset = await openDataset('bench', { store: memoryStore(), codec: jsonl<Row>() });
  for (let i = 0; i < snapshots; i++) await dataset.write(rows);
  return dataset;
}

/** Warm handles on histories of `size` snapshots, and how many writes each takes. */
async function histories(size: number): Promise<{ handles: Dataset<Row>[]; each: number }> {
  const each = Math.min(writes, size / 2);
  const handles = await Promise.all(Array.from({ length: writes / each }, () => filled(size)));
  return { handles, each };
}

export const bar: Bar = {
  id: 'C1',
  title: 'the cost of a write over the number of snapshots',
  async run({ log }) {
    const large = await histories(10_000);
    const costs = new Map<number, CommittedSnapshot['cost'][]>(sizes.map((size) => [size, []]));
    const measure = async (size: number): Promise<number> => {
      const { handles, each } = size === 10_000 ? large : await histories(size);
      let last: CommittedSnapshot | undefined;
      const ms = await cpuMs(async () => {
        for (const handle of handles)
          for (let i = 0; i < each; i++) last = await handle.write(rows);
      });
      if (last !== undefined) costs.get(size)?.push(last.cost);
      return (ms * 1000) / writes;
    };
    const { value, pass } = await heldTo(1 / slowdownMax, async () => {
      const name = 'us of processor time a write, by snapshots';
      return 1 / (await curve({ name, sizes, rounds: 9, log }, measure)).lastToFirst;
    });
    const all = [...costs.values()].flat();
    const requests = new Set(all.map((cost) => cost.requests));
    const bytes = [...costs.values()].map((some) => median(some.map(({ bytesUp }) => bytesUp)));
    const spread = Math.max(...bytes) / Math.min(...bytes) - 1;
    log(`requests a write: ${[...requests].join(', ')}; bytes a write: ${bytes.join(', ')}`);
    const constant = requests.size === 1 && requests.has(3) && spread <= bytesSpreadMax;
    return {
      outcome: pass && constant ? 'pass' : 'fail',
      figure:
        `time x ${(1 / value).toFixed(2)} from 10 to 10,000 snapshots (bar ${slowdownMax}), ` +
        `${[...requests].join(', ')} requests (bar 3), bytes ± ${(spread * 100).toFixed(1)} % (bar 5 %)`,
    };
  },
};
