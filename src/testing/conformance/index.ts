/**
 * The store suite: what every adapter and every wrapper has to pass, whoever wrote it.
 *
 * It runs under any test framework, takes its expectations from the capabilities a store declares and proves them. A case
 * is named after the fault it would catch. Each gets storage of its own from `open()`.
 */
import { abortCases } from './aborts.ts';
import { bodyCases } from './bodies.ts';
import type { Case, Opened } from './case.ts';
import { deleteCases } from './deletes.ts';
import { guardCases } from './guards.ts';
import { keyCases } from './keys.ts';
import { listCases } from './lists.ts';
import { putCases } from './puts.ts';
import { raceCases } from './races.ts';
import { readCases } from './reads.ts';

export type { Opened } from './case.ts';

export interface ConformanceOptions {
  /** Starts the name of every test. */
  readonly name: string;
  /** Fresh, empty storage. `another` gives a second handle on it, `close` removes it. */
  open(): Opened | Promise<Opened>;
  /** Registers a test: `test` of `node:test`, vitest, jest, mocha… */
  test(name: string, run: () => Promise<void>): unknown;
  /** Names of cases that are known to fail, so that the list of them is on record. */
  readonly skip?: readonly string[];
  /** Rounds of 64 racing swaps. Default 3. */
  readonly rounds?: number;
}

const cases: readonly Case[] = [
  ...putCases,
  ...bodyCases,
  ...readCases,
  ...listCases,
  ...deleteCases,
  ...raceCases,
  ...guardCases,
  ...abortCases,
  ...keyCases,
];

/** Registers every case that is not skipped and returns how many there are. */
export function storeConformance(options: ConformanceOptions): number {
  const { rounds = 3, skip = [] } = options;
  const unknown = skip.filter((name) => !cases.some(({ name: known }) => known === name));
  if (unknown.length > 0) throw new Error(`no case is called ${unknown.join(', ')}`);
  const wanted = cases.filter(({ name }) => !skip.includes(name));
  for (const one of wanted) {
    options.test(`${options.name}: ${one.name}`, async () => {
      const storage = await options.open();
      try {
        await one.run(storage, { rounds });
      } finally {
        await storage.close?.();
      }
    });
  }
  return wanted.length;
}
