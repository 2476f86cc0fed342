/**
 * C2: what a process that has just started needs to find the latest snapshot, or one by its id, does not grow with the
 * history. Time is processor time, all sizes in turn in one process.
 */
import { createMeter, jsonl, memoryStore, openDataset, withMeter } from '../../src/index.ts';
import type { Store } from '../../src/index.ts';
import { cpuMs, curve } from '../curve.ts';
import type { Bar } from '../harness.ts';
import { heldTo } from '../harness.ts';

const sizes = [10, 100, 1_000, 10_000];
const slowdownMax = 1.2;
const opens = 300;

type Row = { readonly id: number };
const codec = jsonl<Row>();

interface History {
  readonly store: Store;
  /** In the middle of it. */
  readonly middle: string;
}

async function filled(snapshots: number): Promise<History> {
  const store = memoryStore();
  const dataset = await openDataset('bench', { store, codec });
  let middle = '';
  for (let i = 0; i < snapshots; i++) {
    const { id } = await dataset.write([{ id: i }]);
    if (i === snapshots >> 1) middle = id;
  }
  return { store, middle };
}

export const bar: Bar = {
  id: 'C2',
  title: 'latest and snapshot(id) of a new handle over the number of snapshots',
  async run({ log }) {
    const histories = new Map<number, History>();
    for (const size of sizes) histories.set(size, await filled(size));
    const requests = new Set<number>();
    const measure = (size: number): Promise<number> => {
      const { store, middle } = histories.get(size) as History;
      return cpuMs(async () => {
        for (let i = 0; i < opens; i++) {
          const meter = createMeter();
          const dataset = await openDataset('bench', { store: withMeter(store, meter), codec });
          await dataset.latest();
          await dataset.snapshot(middle);
          requests.add(meter.snapshot().requests);
        }
      }).then((ms) => (ms * 1000) / opens);
    };
    const { value, pass } = await heldTo(1 / slowdownMax, async () => {
      const name = 'us of processor time to open, latest, snapshot(id), by snapshots';
      return 1 / (await curve({ name, sizes, rounds: 11, log }, measure)).lastToFirst;
    });
    const counted = [...requests].join(', ');
    return {
      outcome: pass && counted === '4' ? 'pass' : 'fail',
      figure:
        `time x ${(1 / value).toFixed(2)} from 10 to 10,000 snapshots (bar ${slowdownMax}), ` +
        `${counted} requests: open 1, latest 2, snapshot 1 (bar 4)`,
    };
  },
};
