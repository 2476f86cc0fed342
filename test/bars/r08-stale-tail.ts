/** R8: stale, missing, doubled, swapped, cut and foreign segments, each with its exact outcome. */
import type { Bar } from '../../bench/harness.ts';
import { cases, runCases } from '../journal/cases.ts';

export const bar: Bar = {
  id: 'R8',
  title:
    'segments that are stale, missing, doubled, swapped, cut or foreign: the outcome of each in every mode',
  async run({ release, seed, log }) {
    const findings = { cases: 0, violations: [] as string[] };
    const rounds = release ? 50 : 5;
    for (let round = 0; round < rounds; round++)
      await runCases(1 + (seed % 1_000) + round, findings);
    for (const violation of findings.violations.slice(0, 5)) log(violation);
    const { length } = findings.violations;
    return {
      outcome: length === 0 && cases.length * 4 >= 40 ? 'pass' : 'fail',
      figure: `${cases.length * 4} cases on ${rounds} logs, ${length} failures`,
    };
  },
};
