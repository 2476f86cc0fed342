/**
 * R10-S3: R10 over sockets. Whatever goes wrong with one request to a bucket, or with it and all that follow, a dataset's
 * operation has one of four outcomes, all of them honest.
 */
import type { Bar } from '../../bench/harness.ts';
import { noResult } from '../simulation/fault-matrix.ts';
import { operations } from '../simulation/fault-operations.ts';
import { tryOnWire } from '../simulation/wire-matrix.ts';

/** Those that take different ways through the commit protocol. */
const short = [
  'write hive, first of all',
  'write plain again after a lost race',
  'write where a commit was cut off',
];
const wantedShort = 300;
const wanted = 8_000;

export const bar: Bar = {
  id: 'R10-S3',
  title: 'operations in a bucket, every request, every fault of the wire',
  async run({ release, log }) {
    const result = noResult();
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on('unhandledRejection', note);
    const tried = release ? operations : operations.filter(({ name }) => short.includes(name));
    const options = { times: [1, Number.POSITIVE_INFINITY], laterBy: [1, 2, 3, 4, 5, 6, 8, 12] };
    for (const operation of tried) {
      const before = result.combinations;
      await tryOnWire(operation, result, release ? options : {});
      log(`${operation.name}: ${result.combinations - before}`);
    }
    await new Promise(setImmediate);
    process.off('unhandledRejection', note);

    log(`by fault: ${listed(result.byKind)}`);
    log(`by outcome: ${listed(result.byOutcome)}`);
    log(`${result.believed} times a server denied what it has and nothing could tell`);
    for (const violation of result.violations.slice(0, 20)) log(violation);
    for (const error of unhandled.slice(0, 5)) log(`unhandled: ${String(error)}`);
    const failures = result.violations.length + unhandled.length;
    const least = release ? wanted : wantedShort;
    return {
      outcome: result.combinations >= least && failures === 0 ? 'pass' : 'fail',
      figure:
        `${result.combinations} combinations of ${tried.length} operations (bar ${least}), ` +
        `${result.violations.length} violations, ${unhandled.length} unhandled rejections`,
    };
  },
};

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts].map(([name, n]) => `${name} ${n}`).join(', ');
}
