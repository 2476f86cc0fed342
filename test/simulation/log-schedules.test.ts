/** At risk: acknowledged records of a log whose calls, failures and ends meet in an order that nobody planned. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runSchedule } from './log-schedules.ts';

const seeds = 120;

it('a log keeps its promises in whatever order its disk works, fails and ends', async (t) => {
  const first = Number(process.env['LODE_TEST_SEED'] ?? 1);
  const counts = { records: 0, failures: 0, states: 0 };
  for (let seed = first; seed < first + seeds; seed++) {
    await runSchedule(seed, counts).catch((cause: unknown) => {
      throw new Error(`seed ${seed}`, { cause });
    });
  }
  t.diagnostic(`seeds ${first} to ${first + seeds - 1}: ${JSON.stringify(counts)}`);
  assert.ok(counts.records > 1_000 && counts.failures > 100 && counts.states > 500);
});
