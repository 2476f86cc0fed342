/** R22 for datasets, volumes and journals: a single changed byte anywhere is found by verification, in the very object; clean stores are clean. */
import type { Bar, BarContext } from '../../bench/harness.ts';
import { withPrefix, type Store } from '../../src/index.ts';
import { s3Store } from '../../src/s3.ts';
import { s3Double, seededRandom } from '../../src/testing/index.ts';
import { cleanDataset, isLocated, kindOf, rotOnce } from '../corrupted/bit-rot.ts';
import type { Clean } from '../corrupted/bit-rot.ts';
import { cleanVolume } from '../corrupted/volume-rot.ts';
import { rotJournals } from '../corrupted/journal-rot.ts';

interface Plan {
  readonly name: string;
  readonly fill: (seed: number, store?: Store) => Promise<Clean>;
  readonly stores: number;
  readonly changes: number;
  /** In memory unless told. */
  readonly open?: (n: number) => Store;
}

interface Found {
  readonly located: number;
  readonly done: number;
  readonly falseAlarms: number;
}

async function scrub(plan: Plan, { seed, log }: BarContext): Promise<Found> {
  const random = seededRandom(seed);
  const kinds = new Map<string, number>();
  const share = Math.max(1, Math.round(plan.changes / plan.stores));
  let [located, done, falseAlarms] = [0, 0, 0];
  for (let n = 0; n < plan.stores || done < plan.changes; n++) {
    const clean = await plan.fill(seed + n, plan.open?.(n));
    const { problems, unchecked } = await (await clean.open()).verify();
    if (problems.length > 0 || unchecked > 0) falseAlarms++;
    for (let i = 0; i < share && done < plan.changes; i++) {
      const rot = await rotOnce(clean, random);
      if (rot === undefined) continue;
      done++;
      kinds.set(kindOf(rot.key), (kinds.get(kindOf(rot.key)) ?? 0) + 1);
      if (isLocated(rot)) located++;
      else log(`missed ${plan.name}: ${JSON.stringify(rot)}`);
    }
  }
  const shown = [...kinds].map(([kind, count]) => `${kind} ${count}`).join(', ');
  log(`${plan.name}: ${done} changed bytes: ${shown}`);
  return { located, done, falseAlarms };
}

export const bar: Bar = {
  id: 'R22',
  title:
    'every changed byte of a dataset or volume is detected and located, and no clean store is accused',
  async run(context) {
    const { release, seed } = context;
    await using double = await s3Double();
    const { bucket, endpoint, credentials } = double;
    await using store = s3Store({ bucket, endpoint, credentials, conditions: 'assume' });
    const plans = Object.entries({ datasets: cleanDataset, volumes: cleanVolume }).flatMap(
      ([name, fill]): Plan[] => [
        { name: `${name} in memory`, fill, stores: 100, changes: release ? 1_000 : 100 },
        {
          name: `${name} in a bucket`,
          fill,
          stores: release ? 100 : 25,
          changes: release ? 1_000 : 50,
          open: (n) => withPrefix(store, `${name}/${n}`),
        },
      ],
    );
    let [located, done, falseAlarms, stores] = [0, 0, 0, 0];
    for (const plan of plans) {
      const found = await scrub(plan, context);
      located += found.located;
      done += found.done;
      falseAlarms += found.falseAlarms;
      stores += plan.stores;
    }
    const [journals, changes] = release ? [100, 1_000] : [25, 100];
    const rot = await rotJournals(journals, changes, seed);
    context.log(`journals: ${rot.changed} changed bytes`);
    for (const line of rot.missed) context.log(`missed in a journal: ${line}`);
    located += rot.located;
    done += rot.changed;
    falseAlarms += rot.falseAlarms;
    stores += journals;
    return {
      outcome: located === done && falseAlarms === 0 ? 'pass' : 'fail',
      figure: `${located}/${done} located, ${falseAlarms} false alarms on ${stores} clean stores (bar all, 0; seed ${seed})`,
    };
  },
};
