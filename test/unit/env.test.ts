/** At risk: snapshot ids that fall behind other processes, because the clock they come from is not the wall clock. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { systemEnv } from '../../src/env.ts';

it('the system clock is the wall clock, steps and sleeps of the machine included', (t) => {
  let wall = 1_767_323_045_123;
  t.mock.method(Date, 'now', () => wall);
  assert.equal(systemEnv.now() / 1_000_000n, 1_767_323_045_123n);
  wall += 3_600_000;
  assert.equal(systemEnv.now() / 1_000_000n, 1_767_326_645_123n);
});
