/** R12: what goes wrong on the wire is survived or typed, script by script, with no secret in any error. */
import type { Bar } from '../../bench/harness.ts';
import { play } from '../s3/scene.ts';
import { wireScripts } from '../s3/scripts.ts';

const scriptsMin = 60;

export const bar: Bar = {
  id: 'R12',
  title: 'S3 exchanges that go wrong on the wire',
  async run({ log }) {
    let failed = 0;
    for (const script of wireScripts) {
      try {
        await play(script);
      } catch (error) {
        failed++;
        log(`FAILED ${script.name}: ${String(error)}`);
      }
    }
    const count = wireScripts.length;
    return {
      outcome: failed === 0 && count >= scriptsMin ? 'pass' : 'fail',
      figure: `${count} scripts ${failed} failures (bar ${scriptsMin} scripts, 0 failures)`,
    };
  },
};
