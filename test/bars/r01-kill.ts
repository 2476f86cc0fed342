/** R1: a process killed at any point loses nothing it acknowledged and leaves nothing half there. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bar } from '../../bench/harness.ts';
import { killAndLook } from '../crash/kills.ts';

export const bar: Bar = {
  id: 'R1',
  title: 'kill -9: nothing acknowledged is lost, nothing is half-visible, nothing is there twice',
  async run({ release, seed, log }) {
    const wanted = release ? 1_000 : 200;
    const root = await mkdtemp(join(tmpdir(), 'lode-kill-'));
    try {
      // Side by side, each in a directory of its own: a process that starts leaves the machine idle most of the time.
      const lanes = [0, 1, 2, 3];
      const results = await Promise.all(
        lanes.map((lane) =>
          killAndLook(join(root, String(lane)), wanted / lanes.length, seed + lane),
        ),
      );
      const sum = (of: 'kills' | 'early' | 'acks' | 'unheard'): number =>
        results.reduce((total, result) => total + result[of], 0);
      const all = (of: 'lost' | 'halfVisible' | 'duplicates' | 'failures'): string[] =>
        results.flatMap((result) => result[of]);
      const wrong = [
        ...all('lost'),
        ...all('halfVisible'),
        ...all('duplicates'),
        ...all('failures'),
      ];
      log(`${sum('early')} killed while they looked, ${sum('unheard')} commits landed unheard`);
      for (const line of wrong.slice(0, 10)) log(line);
      return {
        outcome:
          sum('kills') >= wanted && wrong.length === 0 && sum('acks') > wanted ? 'pass' : 'fail',
        figure:
          `${sum('kills')} kills, ${sum('acks')} acknowledged, ${all('lost').length} lost, ` +
          `${all('halfVisible').length} half-visible, ${all('duplicates').length} duplicates, ` +
          `${all('failures').length} failures (bar ${wanted} kills, 0)`,
      };
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  },
};
