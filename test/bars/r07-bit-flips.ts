/** R7: no bit of a log can turn over without being noticed, and none costs a record in front of it. */
import type { Bar } from '../../bench/harness.ts';
import { flipEverywhere } from '../journal/bit-flips.ts';
import { sampleLog } from '../journal/sample.ts';

export const bar: Bar = {
  id: 'R7',
  title:
    'single bits of a log turned over, in all four modes: nothing changed, invented or lost before',
  async run({ release, seed, log }) {
    const findings = { cases: 0, violations: [] as string[] };
    const segments = await sampleLog({ seed, records: 602, segmentBytes: 18_000, killed: true });
    const bytes = segments.reduce((sum, segment) => sum + segment.bytes.length, 0);
    log(`602 records in ${segments.length} segments, ${bytes} bytes`);
    const share = release ? 1 : 53_000 / (bytes * 8);
    const start = performance.now();
    await flipEverywhere(segments, findings, { share, seed, openEvery: 2_000 });
    log(`${Math.round((performance.now() - start) / 1000)} s`);
    for (const violation of findings.violations.slice(0, 5)) log(violation);
    const { length } = findings.violations;
    const wanted = release ? 4 * 524_288 : 4 * 52_000;
    return {
      outcome: length === 0 && findings.cases >= wanted ? 'pass' : 'fail',
      figure: `${findings.cases / 4} bits in 4 modes, ${length} failures`,
    };
  },
};
