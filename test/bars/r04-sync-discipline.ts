/** R4: nothing is acknowledged, published or referred to before its bytes and every name that leads to it are synced. */
import type { Bar } from '../../bench/harness.ts';
import { keepDiscipline, noFindings } from '../crash/explore.ts';
import { randomWorkload, workloads } from '../crash/workloads/index.ts';
import { verdict } from '../crash/verdict.ts';

export const bar: Bar = {
  id: 'R4',
  title: 'every acknowledgement and every new name comes after the syncs it rests on',
  async run({ release, seed, log }) {
    const findings = noFindings();
    const extra = release ? 2_000 : 100;
    for (const workload of workloads) await keepDiscipline(workload, findings, seed);
    for (let i = 0; i < extra; i++) await keepDiscipline(randomWorkload(seed + i), findings, seed);
    return verdict(findings, log, {
      states: 0,
      figure: `${findings.acks} acknowledgements of ${workloads.length + extra} workloads`,
      complete: findings.acks > workloads.length,
    });
  },
};
