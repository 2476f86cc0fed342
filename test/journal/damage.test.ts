/** At risk: no damage to a log goes unseen, and none costs more than it has to. The bars R6 and R7 do the same to a larger log. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flipEverywhere } from './bit-flips.ts';
import { cases, runCases } from './cases.ts';
import { sampleLog } from './sample.ts';
import { truncateEverywhere } from './truncation.ts';

describe('a damaged log', () => {
  for (const killed of [true, false]) {
    const how = killed ? 'killed' : 'closed';
    it(`is cut to what each mode promises, at every length, when its writer was ${how}`, async () => {
      const segments = await sampleLog({ seed: 1, records: 24, segmentBytes: 1200, killed });
      assert.ok(segments.length >= 3);
      const findings = { cases: 0, violations: [] };
      for (const at of segments.keys()) await truncateEverywhere(segments, findings, { at });
      assert.deepEqual(findings.violations.slice(0, 10), []);
      assert.ok(findings.cases > 4_000);
    });

    it(`has no bit that can change unseen when its writer was ${how}`, async () => {
      const segments = await sampleLog({ seed: 2, records: 24, segmentBytes: 1200, killed });
      const findings = { cases: 0, violations: [] };
      await flipEverywhere(segments, findings, { share: 0.2, seed: 3 });
      assert.deepEqual(findings.violations.slice(0, 10), []);
      assert.ok(findings.cases > 10_000);
    });
  }

  it('of segments that are stale, missing, doubled or swapped has the outcome that is written down', async () => {
    const findings = { cases: 0, violations: [] };
    await runCases(7, findings);
    assert.deepEqual(findings.violations, []);
    assert.equal(findings.cases, cases.length * 4);
  });
});
