/** At risk: what was acknowledged, when the power goes or the disk fails. The bars R2 to R5 do the same at length. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  crashAgain,
  crashEverywhere,
  failEverywhere,
  keepDiscipline,
  noFindings,
} from './explore.ts';
import { workloads } from './workloads/index.ts';

for (const workload of workloads) {
  describe(workload.name, () => {
    it('loses nothing acknowledged in any crash', async () => {
      const findings = noFindings();
      await crashEverywhere(workload, findings, { samples: 16, resumeEvery: 16 });
      assert.deepEqual(findings.violations.slice(0, 3), []);
      assert.equal(findings.pointsCovered, findings.points);
    });

    it('loses nothing in a crash of what follows a crash', async () => {
      const findings = noFindings();
      await crashAgain(workload, findings, { first: 2, second: 4 });
      assert.deepEqual(findings.violations.slice(0, 3), []);
    });

    it('syncs before it acknowledges, publishes or refers', async () => {
      const findings = noFindings();
      await keepDiscipline(workload, findings);
      assert.deepEqual(findings.violations, []);
      assert.ok(findings.acks > 0);
    });

    it('loses nothing acknowledged on a failing disk, and never asks again', async () => {
      const findings = noFindings();
      await failEverywhere(workload, findings, { kinds: ['EIO'], states: 2, stride: 3 });
      assert.deepEqual(findings.violations.slice(0, 3), []);
      assert.equal(findings.faultsHit, findings.faults);
    });
  });
}
