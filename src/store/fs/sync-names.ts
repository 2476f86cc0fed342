/**
 * Directory syncs, shared: who asks while one is running waits for the next, together with all others who ask.
 *
 * A sync covers the names made before it started and no later ones, so nobody joins one that is under way.
 */
import type { Disk } from '../../disk/disk.ts';

interface Round {
  readonly running: Promise<void>;
  next: Promise<void> | undefined;
}

export class NameSyncs {
  readonly #disk: Disk;
  readonly #rounds: Map<string, Round> = new Map();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Resolves once every name now in `directory` is durable. After it rejects, that is unknown. */
  sync(directory: string): Promise<void> {
    const round = this.#rounds.get(directory);
    if (round === undefined) return this.#start(directory);
    // Whether the round before fails is the affair of those who were in it.
    const start = (): Promise<void> => this.#start(directory);
    return (round.next ??= round.running.then(start, start));
  }

  #start(directory: string): Promise<void> {
    const running = this.#disk.syncDirectory(directory);
    const round: Round = { running, next: undefined };
    this.#rounds.set(directory, round);
    const end = (): void => {
      if (this.#rounds.get(directory) === round && round.next === undefined) {
        this.#rounds.delete(directory);
      }
    };
    running.then(end, end);
    return running;
  }
}
