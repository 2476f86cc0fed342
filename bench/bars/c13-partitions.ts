/**
 * C13: a write into P partitions: 2P + 2 requests, and the time of as many requests one after the other as the store's
 * concurrency leaves no way around. Requests take one tick of a virtual clock, so the figure is exact; processor time is
 * measured beside it.
 *
 * Each partition has a copy of the whole manifest, so the bytes grow with the square of P: that is the format, the same for
 * Go. A store in memory would measure mostly the copying of those bytes; here it drops them.
 */
import { createMeter, hive, jsonl, memoryStore, openDataset, withMeter } from '../../src/index.ts';
import type { Store } from '../../src/index.ts';
import { traceStore, virtualEnv } from '../../src/testing/index.ts';
import { cpuMs, curve } from '../curve.ts';
import type { Bar } from '../harness.ts';

const sizes = [1, 10, 100, 1_000];
const slowdownMax = 1.5;
/** Processor time for each partition may not grow with their number. */
const exponentMax = 1.1;

type Row = { readonly part: string };
const rowsOf = (parts: number): Row[] =>
  Array.from({ length: parts }, (_, i) => ({ part: `p${i}` }));
const options = { codec: jsonl<Row>(), layout: hive('part') };

/** Takes manifest copies without keeping them. */
function droppingCopies(): Store {
  const memory = memoryStore();
  const isCopy = (key: string): boolean =>
    key.includes('/partitions/') && key.endsWith('/manifest.json');
  return {
    capabilities: memory.capabilities,
    put: async (key, body, how) =>
      isCopy(key) ? { outcome: 'stored', etag: key } : memory.put(key, body, how),
    get: (key, how) => memory.get(key, how),
    head: (key, how) => memory.head(key, how),
    list: (prefix: string, how: object = {}) => memory.list(prefix, how),
    delete: (keys, how) => memory.delete(keys, how),
  };
}

interface Timed {
  readonly bytes: number;
  readonly requests: number;
  readonly ticks: number;
  readonly ideal: number;
}

async function timed(parts: number): Promise<Timed> {
  const env = virtualEnv();
  const meter = createMeter();
  const memory = memoryStore();
  const { store } = traceStore(withMeter(memory, meter), { env, latencyMs: 1 });
  const dataset = await openDataset('bench', { ...options, store, env });
  await dataset.write(rowsOf(1));
  const before = { cost: meter.snapshot(), at: env.elapsedMs };
  await dataset.write(rowsOf(parts));
  const rounds = Math.ceil(parts / memory.capabilities.concurrency);
  const cost = meter.snapshot(before.cost);
  return {
    requests: cost.requests,
    bytes: cost.bytesUp,
    ticks: env.elapsedMs - before.at,
    ideal: rounds + 1 + rounds + 1,
  };
}

export const bar: Bar = {
  id: 'C13',
  title: 'a write over the number of partitions',
  async run({ log }) {
    let worst = 0;
    let exact = true;
    for (const parts of sizes) {
      const { requests, bytes, ticks, ideal } = await timed(parts);
      log(
        `${parts} partitions: ${requests} requests, ${bytes} bytes, ${ticks} ticks, ideal ${ideal}`,
      );
      worst = Math.max(worst, ticks / ideal);
      exact &&= requests === 2 * parts + 2;
    }
    const name = 'us of processor time a partition, by partitions';
    const { points } = await curve({ name, sizes, rounds: 7, log }, async (parts) => {
      const dataset = await openDataset('bench', { ...options, store: droppingCopies() });
      const rows = rowsOf(parts);
      const times = Math.ceil(300 / parts);
      await dataset.write(rows);
      const ms = await cpuMs(async () => {
        for (let i = 0; i < times; i++) await dataset.write(rows);
      });
      return (ms * 1000) / times / parts;
    });
    const [ten, thousand] = [points[1]?.cost ?? 0, points[3]?.cost ?? Infinity];
    const exponent = 1 + Math.log10(thousand / ten) / 2;
    const pass = exact && worst <= slowdownMax && exponent <= exponentMax;
    return {
      outcome: pass ? 'pass' : 'fail',
      figure:
        `${exact ? '2P + 2' : 'not 2P + 2'} requests, x ${worst.toFixed(2)} of the ideal time (bar ${slowdownMax}), ` +
        `processor time exponent ${exponent.toFixed(2)} from 10 to 1,000 (bar ${exponentMax})`,
    };
  },
};
