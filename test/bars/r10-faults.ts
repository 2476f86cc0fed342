/** R10: whatever one call of the store does wrong, an operation has one of four outcomes, all of them honest. */
import type { Bar } from '../../bench/harness.ts';
import { besideGo } from '../simulation/fault-beside-go.ts';
import { noResult, tryEverywhere } from '../simulation/fault-matrix.ts';
import { operations as alone } from '../simulation/fault-operations.ts';
import type { FaultOperation } from '../simulation/fault-operations.ts';
import { volumeOperations } from '../simulation/fault-volumes.ts';
import { everyInterleaving } from '../simulation/interleave.ts';
import { nameOf, play, scenes } from '../simulation/two-writers.ts';

const wanted = 8_000;

/** Of volumes: staging, a race, a run, and reading; the other ways through a commit are those of datasets. */
function isShort({ name, does, volume }: FaultOperation): boolean {
  if (does === 'reads') return volume === 'compatible' && !name.startsWith('verify');
  return /^stage|^fill (again|until).*compact/.test(name);
}

export const bar: Bar = {
  id: 'R10',
  title: 'every operation, every call, every fault, once and for ever',
  async run({ release, log }) {
    const result = noResult();
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    const options = release ? { laterBy: [1, 2, 3, 4, 5, 6, 8, 12] } : {};
    for (const operation of alone) await tryEverywhere(operation, result, options);
    const asWell = release ? options : { times: [1] };
    for (const operation of besideGo) await tryEverywhere(operation, result, asWell);
    const volumes = release ? volumeOperations : volumeOperations.filter(isShort);
    for (const operation of volumes) await tryEverywhere(operation, result, asWell);
    const orders = release ? await everyOrder(log) : 0;
    await new Promise(setImmediate);
    process.off('unhandledRejection', note);

    log(`by fault: ${listed(result.byKind)}`);
    log(`by outcome: ${listed(result.byOutcome)}`);
    log(`${result.believed} times a store denied what it has and nothing could tell`);
    for (const violation of result.violations.slice(0, 20)) log(violation);
    for (const error of unhandled.slice(0, 5)) log(`unhandled: ${String(error)}`);
    const failures = result.violations.length + unhandled.length;
    return {
      outcome: result.combinations >= wanted && failures === 0 ? 'pass' : 'fail',
      figure:
        `${result.combinations} combinations of ${alone.length + besideGo.length + volumes.length} operations (bar ${wanted}), ` +
        `${result.violations.length} violations, ${unhandled.length} unhandled rejections` +
        (release ? `, ${orders} interleavings of two` : ''),
    };
  },
};

/** Two writers in all orders of their calls; throws at the first that loses an update. */
async function everyOrder(log: (line: string) => void): Promise<number> {
  let orders = 0;
  for (const scene of scenes()) {
    const { runs, complete } = await everyInterleaving(() => play(scene), 20_000);
    if (!complete) log(`${nameOf(scene)}: ${runs} interleavings of more`);
    orders += runs;
  }
  return orders;
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, n]) => `${name} ${n}`).join(', ');
}
