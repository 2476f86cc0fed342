/**
 * R25: what errors and events show. Keys and facts, yes; what is in records, metadata, stored bytes and credentials, never.
 */
import diagnostics from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import type { Bar } from '../../bench/harness.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { bucketFailures } from '../secrets/bucket-failures.ts';
import { failuresWith } from '../secrets/failures.ts';

export const bar: Bar = {
  id: 'R25',
  title: 'no content of records, metadata or objects, and no credentials, in errors and events',
  async run({ seed, log }) {
    const random = seededRandom(seed);
    const secret = `canary${Array.from({ length: 12 }, () => Math.floor(random() * 10)).join('')}`;
    let errors = 0;
    const problems: string[] = [];
    const events: string[] = [];
    const hear = (payload: unknown): void => void events.push(inspect(payload, { depth: 9 }));
    for (const channel of channels) diagnostics.subscribe(channel, hear);
    for (const { name, run } of [...failuresWith(secret), ...bucketFailures(secret)]) {
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
    for (const channel of channels) diagnostics.unsubscribe(channel, hear);
    const told = events.filter((event) => event.includes(secret));
    if (told.length > 0) problems.push(`${told.length} events leak, such as ${told[0]}`);
    for (const problem of problems) log(problem.replaceAll(secret, 'SECRET'));
    return {
      outcome: problems.length === 0 ? 'pass' : 'fail',
      figure: `${errors} errors, ${events.length} events, ${problems.length} failures (bar 0)`,
    };
  },
};

const channels = ['request', 'retry', 'commit', 'conflict', 'wait', 'fence', 'repair'].map(
  (name) => `lode:${name}`,
);

/** Every way an error gets into a log. */
function showings(error: unknown): [way: string, text: string][] {
  return [
    ['message', String(error)],
    ['stack', (error as Error | undefined)?.stack ?? ''],
    ['inspect', inspect(error, { depth: Infinity, showHidden: true, getters: true })],
    ['JSON', JSON.stringify(error) ?? ''],
  ];
}
