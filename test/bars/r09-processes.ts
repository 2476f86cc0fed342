/** R9: processes that race for one dataset or volume make one chain, whoever of them dies. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bar } from '../../bench/harness.ts';
import { seededRandom } from '../../src/testing/index.ts';
import { race } from '../crash/processes.ts';
import type { Race, RaceOptions } from '../crash/processes.ts';
import { fillTogether } from '../crash/volume-processes.ts';

const stallMsMax = 2_000;

export const bar: Bar = {
  id: 'R9',
  title:
    'eight processes, one dataset or volume, one chain; a killed holder of the lock holds nobody up',
  async run({ release, seed, log }) {
    const random = seededRandom(seed);
    const commits = release ? 500 : 50;
    const whole = await raceInFolder({ processes: 8, commits });
    log(`8 × ${commits}: ${whole.snapshots} snapshots, ${whole.refused} refused on the way`);
    const wrong = [...whole.wrong];
    if (whole.snapshots !== 8 * commits) wrong.push(`${whole.snapshots} snapshots`);
    let kills = 0;
    let stalledMs = 0;
    for (let round = 0; round < (release ? 20 : 2); round++) {
      const killed = await raceInFolder({ processes: 6, commits: 20, kills: 4, random });
      kills += 4;
      stalledMs = Math.max(stalledMs, killed.stalledMs);
      wrong.push(...killed.wrong);
    }
    const filled = await inFolder((root) => fillTogether(root, { processes: 8, commits }));
    wrong.push(...filled.wrong);
    for (const line of wrong.slice(0, 10)) log(line);
    return {
      outcome: wrong.length === 0 && stalledMs <= stallMsMax ? 'pass' : 'fail',
      figure:
        `${whole.snapshots} snapshots in one chain (bar ${8 * commits}), ${kills} kills, ` +
        `${filled.snapshots} of a volume in another (bar ${8 * commits}), no block lost, ` +
        `others on after ${Math.round(stalledMs)} ms at most (bar ${stallMsMax})`,
    };
  },
};

function raceInFolder(options: RaceOptions): Promise<Race> {
  return inFolder((root) => race(root, options));
}

async function inFolder<T>(work: (root: string) => Promise<T>): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'lode-race-'));
  try {
    return await work(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
