/** R2: after a power loss at any point nothing acknowledged is lost and nothing is half there. */
import type { Bar } from '../../bench/harness.ts';
import { crashEverywhere, noFindings } from '../crash/explore.ts';
import { onLogs, randomWorkload, workloads } from '../crash/workloads/index.ts';
import { verdict } from '../crash/verdict.ts';

export const bar: Bar = {
  id: 'R2',
  title: 'every crash state of every workload recovers to what was acknowledged',
  async run({ release, seed, log }) {
    const wanted = release ? 500_000 : 20_000;
    const findings = noFindings();
    const start = performance.now();
    let [random, states] = [0, 0];
    // Each seed interleaves the same work in another way.
    for (let round = 0; round < (release ? 50 : 3); round++) {
      for (const workload of workloads) {
        const before = findings.states;
        await crashEverywhere(workload, findings, { seed: seed + round });
        if (onLogs.includes(workload)) states += findings.states - before;
      }
    }
    for (let round = 50; release && states < wanted && findings.violations.length === 0; round++) {
      const before = findings.states;
      for (const workload of onLogs) {
        await crashEverywhere(workload, findings, { seed: seed + round });
      }
      states += findings.states - before;
    }
    log(`${states} states of logs and journals`);
    log(`${workloads.length} scripted: ${findings.states} states at ${findings.points} points`);
    for (; findings.states < wanted && findings.violations.length === 0; random++) {
      await crashEverywhere(randomWorkload(seed + random), findings, { seed: seed + random });
    }
    const seconds = (performance.now() - start) / 1000;
    log(
      `${findings.outcomes} outcomes considered, ${Math.round(findings.states / seconds)} states/s`,
    );
    return verdict(findings, log, {
      states: wanted,
      figure:
        `${findings.states} states of ${workloads.length} scripted and ${random} random workloads, ` +
        `${findings.pointsCovered} of ${findings.points} crash points`,
      complete: findings.pointsCovered === findings.points,
    });
  },
};
