/** R17 for datasets: random sequences of calls and accidents, on three stores, answer exactly as a model in memory does. */
import type { Bar } from '../../bench/harness.ts';
import { storeKinds } from '../model/dataset.ts';
import { runModel } from '../model/run.ts';

export const bar: Bar = {
  id: 'R17',
  title: 'datasets answer as their model does, after calls and accidents in random order',
  async run({ release, seed, log }) {
    const [runs, steps] = release ? [1_000, 500] : [200, 75];
    let total = 0;
    const kinds = new Set<string>();
    for (const [n, kind] of storeKinds.entries()) {
      const started = performance.now();
      const { ran, failure } = await runModel({ kind, runs, steps, seed: seed + n });
      if (failure !== undefined) {
        log(failure);
        return { outcome: 'fail', figure: `a difference over ${kind} (seed ${seed})` };
      }
      let commands = 0;
      for (const [name, count] of ran) {
        kinds.add(name);
        commands += count;
      }
      total += commands;
      const seconds = ((performance.now() - started) / 1_000).toFixed(1);
      log(`${kind}: ${runs} runs of ${steps} steps, ${commands} of them possible, ${seconds} s`);
    }
    return {
      outcome: kinds.size >= 12 ? 'pass' : 'fail',
      figure: `0 differences in ${total} commands of ${kinds.size} kinds, 3 stores (bar 0 in 12 kinds, seed ${seed})`,
    };
  },
};
