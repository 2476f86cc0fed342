/** R25: what errors show. Keys and facts, yes; what is in records, metadata and stored bytes, never. */
import { inspect } from 'node:util';
import type { Bar } from '../../bench/harness.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { failuresWith } from '../secrets/failures.ts';

export const bar: Bar = {
  id: 'R25',
  title: 'no content of records, metadata or objects in errors',
  async run({ seed, log }) {
    const random = seededRandom(seed);
    const secret = `canary${Array.from({ length: 12 }, () => Math.floor(random() * 10)).join('')}`;
    let errors = 0;
    const problems: string[] = [];
    for (const { name, run } of failuresWith(secret)) {
      const error = await run().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) problems.push(`${name}: did not fail`);
      else errors++;
      const leaks = showings(error).filter(([, text]) => text.includes(secret));
      if (leaks.length > 0)
        problems.push(
          `${name}: leaks by ${leaks.map(([way]) => way).join(', ')}: ${String(error)}`,
        );
    }
    for (const problem of problems) log(problem.replaceAll(secret, 'SECRET'));
    return {
      outcome: problems.length === 0 ? 'pass' : 'fail',
      figure: `${errors} errors ${problems.length} failures (bar 0)`,
    };
  },
};

/** Every way an error gets into a log. */
function showings(error: unknown): [way: string, text: string][] {
  return [
    ['message', String(error)],
    ['stack', (error as Error | undefined)?.stack ?? ''],
    ['inspect', inspect(error, { depth: Infinity, showHidden: true, getters: true })],
    ['JSON', JSON.stringify(error) ?? ''],
  ];
}
