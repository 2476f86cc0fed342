/** R12: what goes wrong on the wire is survived or typed, script by script, with no secret in any error. */
import type { Bar } from '../../bench/harness.ts';
import { play } from '../s3/scene.ts';
import { runWireScript } from '../s3/run-script.ts';
import { wireScripts as exchanges } from '../s3/scripts/index.ts';
import { wireScripts } from '../s3/scripts.ts';
import { openBare } from '../s3/open.ts';

const scriptsMin = 60;

export const bar: Bar = {
  id: 'R12',
  title: 'S3 exchanges that go wrong on the wire',
  async run({ log }) {
    let failed = 0;
    const plays = [
      ...wireScripts.map((script) => ({ name: script.name, run: () => play(script) })),
      ...exchanges.map((script) => ({
        name: script.name,
        run: () => runWireScript(script, openBare),
      })),
    ];
    for (const { name, run } of plays) {
      try {
        await run();
      } catch (error) {
        failed++;
        log(`FAILED ${name}: ${String(error)}`);
      }
    }
    const count = plays.length;
    return {
      outcome: failed === 0 && count >= scriptsMin ? 'pass' : 'fail',
      figure: `${count} scripts ${failed} failures (bar ${scriptsMin} scripts, 0 failures)`,
    };
  },
};
