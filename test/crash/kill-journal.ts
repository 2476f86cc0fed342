/** The journal of the process that R1 kills: every event is a name, and the state knows them all, in order, with a digest. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import type * as LodeJournal from '../../src/journal.ts';

interface State {
  readonly names: string[];
  digest: string;
}

type Say = (line: object) => void;

export const journalPlace = 'journal';

const initial = (): State => ({ names: [], digest: '' });

function apply(state: State, name: string): void {
  state.digest = createHash('sha256').update(`${state.digest} ${name}`).digest('hex');
  state.names.push(name);
}

/** The directory beside that of the store. */
export function openKilled(
  { openJournal }: Pick<typeof LodeJournal, 'openJournal'>,
  root: string,
): Promise<LodeJournal.Journal<State, string>> {
  const dir = `${root}.journal`;
  mkdirSync(dir, { recursive: true });
  const sizes = { segmentBytes: 4096, preallocateBytes: 2048, reserveBytes: 1024 };
  return openJournal<State, string>(dir, { initial, apply, ...sizes });
}

/** What is wrong with a state that is not made of its events, one after the other. */
export function problemOf({ names, digest }: State): string | undefined {
  const baseline = initial();
  for (const name of names) apply(baseline, name);
  return baseline.digest === digest ? undefined : 'the state is not that of its events';
}

/** Events since `head`, as the commits of other places are told: each the child of the one before. */
export function lookAtJournal(
  journal: LodeJournal.Journal<State, string>,
  head: string | undefined,
  say: Say,
): void {
  const { names } = journal.state;
  const known = Number(head ?? 0);
  const problem = problemOf(journal.state);
  const found = names.slice(known).map((name, i) => {
    const lsn = known + i + 1;
    const parent = lsn === 1 ? undefined : String(lsn - 1);
    return { id: String(lsn), name, parent, digest: name, problem };
  });
  say({ found, dataset: journalPlace });
}

/** Three events at a time, with a snapshot now and then; slowly, as the other places have to get their turn. */
export async function fillJournal(
  journal: LodeJournal.Journal<State, string>,
  seed: string,
  say: Say,
): Promise<never> {
  for (let n = Number(seed); ; n += 3) {
    const events = [0, 1, 2].map(async (i) => {
      const name = `${seed} ${n + i}`;
      const { lsn } = await journal.append(name);
      say({ acked: String(lsn), dataset: journalPlace, name, digest: name });
    });
    await Promise.all([...events, ...(n % 2 === 0 ? [journal.snapshot()] : [])]);
    await after(5);
  }
}
