/** R22 for datasets: a single changed byte anywhere is found by verification, in the very object; clean stores are clean. */
import type { Bar } from '../../bench/harness.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { cleanDataset, isLocated, kindOf, rotOnce } from '../corrupted/bit-rot.ts';

const cleanStores = 100;

export const bar: Bar = {
  id: 'R22',
  title: 'every changed byte of a dataset is detected and located, and no clean store is accused',
  async run({ release, seed, log }) {
    const wanted = release ? 1_000 : 100;
    const random = seededRandom(seed);
    const changes = new Map<string, number>();
    let [located, done, falseAlarms] = [0, 0, 0];
    for (let n = 0; n < cleanStores || done < wanted; n++) {
      const dataset = await cleanDataset(seed + n);
      const { problems, unchecked } = await (await dataset.open()).verify();
      if (problems.length > 0 || unchecked > 0) falseAlarms++;
      const share = Math.max(1, Math.round(wanted / cleanStores));
      for (let i = 0; i < share && done < wanted; i++) {
        const rot = await rotOnce(dataset, random);
        if (rot === undefined) continue;
        done++;
        changes.set(kindOf(rot.key), (changes.get(kindOf(rot.key)) ?? 0) + 1);
        if (isLocated(rot)) located++;
        else log(`missed: ${JSON.stringify(rot)}`);
      }
    }
    for (const [kind, count] of changes) log(`${kind}: ${count} changed bytes`);
    const pass = located === done && falseAlarms === 0;
    return {
      outcome: pass ? 'pass' : 'fail',
      figure: `${located}/${done} located, ${falseAlarms} false alarms on ${cleanStores} clean stores (bar all, 0; seed ${seed})`,
    };
  },
};
