/** What runs on real servers found, as data: `verdicts.json`, recorded by `npm run providers`, compared with by every run. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../files.ts';

export interface Verdict {
  /** Cases of the store suite that passed. */
  readonly passed: number;
  /** Names of those that did not. */
  readonly failing: readonly string[];
  /** What was tried, and what came of it. */
  readonly facts: Readonly<Record<string, string>>;
}

export type Verdicts = Readonly<Record<string, Verdict>>;

const file = join(root, 'test/s3/servers/verdicts.json');

export const recording: boolean = process.env['LODE_RECORD_VERDICTS'] === '1';

export function readVerdicts(): Verdicts {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Verdicts) : {};
}

/** In the order of the store suite, so that the same findings are the same text. */
export function record(server: string, verdict: Verdict): void {
  const all: Verdicts = { ...readVerdicts(), [server]: verdict };
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(sorted, undefined, 2)}\n`);
}
