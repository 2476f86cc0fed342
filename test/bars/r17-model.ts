/** R17 for datasets, volumes and journals: random sequences of calls and accidents, on three stores, answer exactly as a model in memory does. */
import type { Bar } from '../../bench/harness.ts';
import { storeKinds } from '../model/dataset.ts';
import { datasets, journals, runModel, volumes } from '../model/run.ts';
import type { ModelRun, ModelVerdict } from '../model/run.ts';

const subjects: Readonly<Record<string, (run: ModelRun) => Promise<ModelVerdict>>> = {
  datasets: (run) => runModel(datasets, run),
  volumes: (run) => runModel(volumes, run),
  journals: (run) => runModel(journals, run),
};
const kindsMin = 12;

export const bar: Bar = {
  id: 'R17',
  title:
    'datasets, volumes and journals answer as their models do, after calls and accidents in random order',
  async run({ release, seed, log }) {
    const [runs, steps] = release ? [1_000, 500] : [200, 75];
    const figures: string[] = [];
    for (const [subject, modelled] of Object.entries(subjects)) {
      let total = 0;
      const kinds = new Set<string>();
      for (const [n, kind] of storeKinds.entries()) {
        const started = performance.now();
        const { ran, failure } = await modelled({ kind, runs, steps, seed: seed + n });
        const where = `${subject} over ${kind}`;
        if (failure !== undefined) {
          log(failure);
          return { outcome: 'fail', figure: `a difference in ${where} (seed ${seed})` };
        }
        let commands = 0;
        for (const [name, count] of ran) {
          kinds.add(name);
          commands += count;
        }
        total += commands;
        const seconds = ((performance.now() - started) / 1_000).toFixed(1);
        log(`${where}: ${runs} runs of ${steps} steps, ${commands} of them possible, ${seconds} s`);
      }
      if (kinds.size < kindsMin)
        return { outcome: 'fail', figure: `${subject}: ${[...kinds].join(', ')}` };
      figures.push(`${subject} ${total} commands of ${kinds.size} kinds`);
    }
    return {
      outcome: 'pass',
      figure: `0 differences: ${figures.join(', ')}, 3 stores each (bar 0 in ${kindsMin} kinds, seed ${seed})`,
    };
  },
};
