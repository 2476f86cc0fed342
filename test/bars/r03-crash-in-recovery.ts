/** R3: a power loss while going on after a power loss is no worse than the first, and opening twice changes nothing. */
import type { Bar } from '../../bench/harness.ts';
import { crashAgain, noFindings } from '../crash/explore.ts';
import { onLogs, randomWorkload, workloads } from '../crash/workloads/index.ts';
import { verdict } from '../crash/verdict.ts';

export const bar: Bar = {
  id: 'R3',
  title: 'a crash of what follows a crash loses nothing, and opening twice changes nothing',
  async run({ release, seed, log }) {
    const wanted = release ? 50_000 : 1_000;
    const findings = noFindings();
    const size = release ? { first: 60, second: 60 } : { first: 8, second: 8 };
    let states = 0;
    for (const workload of workloads) {
      const before = findings.states;
      await crashAgain(workload, findings, { seed, ...size });
      if (onLogs.includes(workload)) states += findings.states - before;
    }
    for (let i = 1; release && states < wanted && findings.violations.length === 0; i++) {
      const before = findings.states;
      for (const workload of onLogs) {
        await crashAgain(workload, findings, { seed: seed + i, ...size });
      }
      states += findings.states - before;
    }
    log(`${states} states of logs and journals`);
    for (let i = 0; findings.states < wanted && findings.violations.length === 0; i++) {
      await crashAgain(randomWorkload(seed + i), findings, { seed, ...size });
    }
    return verdict(findings, log, {
      states: wanted,
      figure: `${findings.states} compound states`,
      complete: true,
    });
  },
};
