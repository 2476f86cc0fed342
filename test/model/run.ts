/** Runs a model: sequences of commands against the real thing, compared step by step. */
import fc from 'fast-check';
import type { AsyncCommand } from 'fast-check';
import { commands } from './dataset-commands.ts';
import { setup } from './dataset.ts';
import type { Model, Real, StoreKind } from './dataset.ts';
import { journalCommands } from './journal-commands.ts';
import { setupJournal } from './journal.ts';
import type { JournalModel, JournalReal } from './journal.ts';
import { volumeCommands } from './volume-commands.ts';
import { setupVolume } from './volume.ts';
import type { VolumeModel, VolumeReal } from './volume.ts';

/** What is modelled: how it begins, and what may happen to it. */
export interface Subject<M extends object, R> {
  readonly setup: (kind: StoreKind) => Promise<{ model: M; real: R }>;
  readonly commands: fc.Arbitrary<AsyncCommand<M, R>>;
}

export const datasets: Subject<Model, Real> = { setup, commands };
export const volumes: Subject<VolumeModel, VolumeReal> = {
  setup: setupVolume,
  commands: volumeCommands,
};
export const journals: Subject<JournalModel, JournalReal> = {
  setup: setupJournal,
  commands: journalCommands,
};

export interface ModelRun {
  readonly kind: StoreKind;
  readonly runs: number;
  /** Commands a run, exactly. */
  readonly steps: number;
  readonly seed: number;
}

export interface ModelVerdict {
  /** How often each kind of command ran. */
  readonly ran: ReadonlyMap<string, number>;
  /** Seed, path, the shortest sequence found that fails, and how. */
  readonly failure: string | undefined;
}

/** A failing sequence is cut down before it is told. */
export async function runModel<M extends object, R>(
  subject: Subject<M, R>,
  { kind, runs, steps, seed }: ModelRun,
): Promise<ModelVerdict> {
  const ran = new Map<string, number>();
  const counted = (command: AsyncCommand<M, R>): AsyncCommand<M, R> => ({
    check: (model) => command.check(model),
    toString: () => command.toString(),
    run: (model, real) => {
      const name = command.toString().replace(/\(.*/, '');
      ran.set(name, (ran.get(name) ?? 0) + 1);
      return command.run(model, real);
    },
  });
  const property = (length: number): fc.IAsyncProperty<unknown> =>
    fc.asyncProperty(
      fc.array(subject.commands, { minLength: length, maxLength: steps, size: 'max' }),
      (list) => fc.asyncModelRun(() => subject.setup(kind), list.map(counted)),
    );
  const all = await fc.check(property(steps), { numRuns: runs, seed, endOnFailure: true });
  if (!all.failed) return { ran, failure: undefined };
  // Found: now look for a short sequence that fails as well, from the same seed.
  const short = await fc.check(property(1), { numRuns: runs * 2, seed });
  const told = short.failed ? short : all;
  const { errorInstance } = told;
  const why = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance);
  return { ran, failure: `${fc.defaultReportMessage(told)}\n${why}` };
}
