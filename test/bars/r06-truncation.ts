/** R6: a log cut at any length recovers to exactly what its mode promises. */
import type { Bar } from '../../bench/harness.ts';
import { sampleLog } from '../journal/sample.ts';
import { truncateEverywhere } from '../journal/truncation.ts';

export const bar: Bar = {
  id: 'R6',
  title: 'a log cut at every length recovers to what each of the four modes promises',
  async run({ release, seed, log }) {
    const findings = { cases: 0, violations: [] as string[] };
    let lengths = 0;
    // One that was killed and one that was closed: they differ in what the end of the log proves.
    for (const killed of [true, false]) {
      const segments = await sampleLog({ seed, records: 640, segmentBytes: 18_000, killed });
      const bytes = segments.reduce((sum, segment) => sum + segment.bytes.length, 0);
      const last = segments.length - 1;
      log(`640 records in ${segments.length} segments, ${bytes} bytes`);
      if (bytes < 65_536 || last < 2) return { outcome: 'fail', figure: 'the sample is too small' };
      for (const at of release ? segments.keys() : [last]) {
        lengths += (segments[at]?.bytes.length ?? 0) + 1;
        await truncateEverywhere(segments, findings, { at });
      }
    }
    for (const violation of findings.violations.slice(0, 5)) log(violation);
    const { length } = findings.violations;
    return {
      outcome: length === 0 && findings.cases >= 4 * lengths ? 'pass' : 'fail',
      figure: `${findings.cases} recoveries of ${lengths} lengths, ${length} failures`,
    };
  },
};
