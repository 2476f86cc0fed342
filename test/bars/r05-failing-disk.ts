/** R5: a disk that fails any sync or write, once or for ever, costs no acknowledged data and is never asked again. */
import type { Bar } from '../../bench/harness.ts';
import { failEverywhere, noFindings } from '../crash/explore.ts';
import { randomWorkload, workloads } from '../crash/workloads/index.ts';
import { verdict } from '../crash/verdict.ts';

const wanted = 2_000;

export const bar: Bar = {
  id: 'R5',
  title: 'every failing sync and write, once and for ever, loses nothing acknowledged',
  async run({ release, seed, log }) {
    const findings = noFindings();
    const options = release
      ? ({ seed, on: ['sync', 'write', 'name', 'read'], states: 200 } as const)
      : { seed, states: 3 };
    for (const workload of workloads) await failEverywhere(workload, findings, options);
    for (let i = 0; findings.faults < wanted && findings.violations.length === 0; i++) {
      await failEverywhere(randomWorkload(seed + i), findings, options);
    }
    log(`${findings.faultsHit} faults came up, ${findings.states} crash states after them`);
    return verdict(findings, log, {
      states: 0,
      figure: `${findings.faults} combinations of workload, call, kind and once or for ever`,
      complete: findings.faults >= wanted && findings.faultsHit === findings.faults,
    });
  },
};
