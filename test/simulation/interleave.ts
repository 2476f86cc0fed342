/**
 * Every interleaving of a few actors at the calls of a store: each call waits at a gate until the scheduler lets it through,
 * and the scheduler goes through all orders, one run each. Of orders that differ only in neighbours that do not touch the
 * same object, one is run.
 */
import { ForwardingStore } from '../../src/store/wrappers/forwarding.ts';
import type { PutOptions, Store } from '../../src/index.ts';

/** What a call at a gate is about to touch. */
interface Touch {
  readonly writes: boolean;
  /** Keys; for a listing what they begin with. */
  readonly keys: readonly string[];
  readonly isPrefix: boolean;
}

export class Gate {
  touch: Touch | undefined;
  #open: (() => void) | undefined;
  over = false;

  pass(touch: Touch): Promise<void> {
    this.touch = touch;
    return new Promise((open) => (this.#open = open));
  }

  letThrough(): void {
    this.touch = undefined;
    this.#open?.();
  }
}

/** `store`, each call of which waits at the gate. */
export function gated(store: Store, gate: Gate): Store {
  return new Gated(store, gate);
}

class Gated extends ForwardingStore {
  readonly #gate: Gate;
  /** One actor, one call at a time: those it makes at once go through one by one. */
  #turn: Promise<void> = Promise.resolve();
  /** The key that is published once the guard now running is done: with any call it makes, as far as we can tell. */
  #guarding: string | undefined;

  constructor(inner: Store, gate: Gate) {
    super(inner);
    this.#gate = gate;
  }

  override async put(
    key: string,
    body: Parameters<Store['put']>[1],
    options: PutOptions = {},
  ): ReturnType<Store['put']> {
    await this.#pass(true, [key]);
    const { beforePublish } = options;
    if (beforePublish === undefined) return super.put(key, body, options);
    const guarded = async (): Promise<Uint8Array | void> => {
      this.#guarding = key;
      return beforePublish();
    };
    try {
      return await super.put(key, body, { ...options, beforePublish: guarded });
    } finally {
      this.#guarding = undefined;
    }
  }

  override async get(...args: Parameters<Store['get']>): ReturnType<Store['get']> {
    await this.#pass(false, [args[0]]);
    return super.get(...args);
  }

  override async head(...args: Parameters<Store['head']>): ReturnType<Store['head']> {
    await this.#pass(false, [args[0]]);
    return super.head(...args);
  }

  protected override async *entries(
    ...args: Parameters<Store['list']>
  ): ReturnType<ForwardingStore['entries']> {
    await this.#pass(false, [args[0]], true);
    yield* super.entries(...args);
  }

  override async delete(...args: Parameters<Store['delete']>): ReturnType<Store['delete']> {
    const [keys] = args;
    await this.#pass(true, typeof keys === 'string' ? [keys] : keys);
    return super.delete(...args);
  }

  #pass(writes: boolean, keys: readonly string[], isPrefix = false): Promise<void> {
    this.#turn = this.#turn.then(() => {
      const guarding = this.#guarding;
      return this.#gate.pass(
        guarding === undefined
          ? { writes, keys, isPrefix }
          : { writes: true, keys: [...keys, guarding], isPrefix },
      );
    });
    return this.#turn;
  }
}

/** The order of the two makes no difference. */
function independent(a: Touch, b: Touch): boolean {
  if (!a.writes && !b.writes) return true;
  return !a.keys.some((key) =>
    b.keys.some(
      (other) =>
        key === other ||
        (a.isPrefix && other.startsWith(key)) ||
        (b.isPrefix && key.startsWith(other)),
    ),
  );
}

/** A run: actors at their gates, and what has to hold once all are over. */
export interface Play {
  readonly gates: readonly Gate[];
  readonly actors: readonly Promise<unknown>[];
  readonly judge: () => Promise<void>;
}

export interface Explored {
  readonly runs: number;
  /** False when `runsMax` came first. */
  readonly complete: boolean;
}

/** Longest run: beyond it somebody goes in circles. */
const stepsMax = 400;

/** Depth first through all orders: the last choice that has an alternative takes it, the run begins anew. */
export async function everyInterleaving(
  begin: () => Promise<Play>,
  runsMax: number,
): Promise<Explored> {
  const path: Step[] = [];
  let runs = 0;
  for (;;) {
    const play = await begin();
    const order = await follow(play, path);
    if (order !== undefined) {
      runs++;
      await play.judge().catch((error: unknown) => {
        throw new Error(`in the order ${order}`, { cause: error });
      });
    }
    for (let last = path.at(-1); last !== undefined && last.choice + 1 >= last.of;) {
      path.pop();
      last = path.at(-1);
    }
    const last = path.at(-1);
    if (last === undefined) return { runs, complete: true };
    if (runs >= runsMax) return { runs, complete: false };
    last.choice++;
  }
}

interface Step {
  choice: number;
  readonly of: number;
}

/** Runs along the path and on from its end; `undefined` where every order from here on is run elsewhere. */
async function follow({ gates, actors }: Play, path: Step[]): Promise<string | undefined> {
  actors.forEach((actor, i) => {
    const over = (): void => {
      const gate = gates[i];
      if (gate !== undefined) gate.over = true;
    };
    actor.then(over, over);
  });
  let order = '';
  /** Who went last, and who stood at another gate with what at that time. */
  let before:
    | { readonly by: number; readonly did: Touch; readonly stood: readonly (Touch | undefined)[] }
    | undefined;
  for (let step = 0; step < stepsMax; step++) {
    // Everything that can run without passing a gate has run when an immediate comes up.
    await new Promise(setImmediate);
    if (gates.every(({ over }) => over)) return order;
    const ready = gates.flatMap(({ touch }, by) => (touch === undefined ? [] : [{ by, touch }]));
    if (ready.length === 0) throw new Error(`deadlock in the order ${order}`);
    // Had this one gone just before the last, nothing would be different: that order is run.
    const choices = ready.filter(
      ({ by, touch }) =>
        before === undefined ||
        by >= before.by ||
        before.stood[by] !== touch ||
        !independent(touch, before.did),
    );
    if (choices.length === 0) return undefined;
    const at = (path[step] ??= { choice: 0, of: choices.length });
    const chosen = choices[at.choice];
    if (chosen === undefined || at.of !== choices.length) throw new Error(`no replay of ${order}`);
    order += chosen.by;
    before = { by: chosen.by, did: chosen.touch, stood: gates.map(({ touch }) => touch) };
    gates[chosen.by]?.letThrough();
  }
  throw new Error(`no end in the order ${order}`);
}
