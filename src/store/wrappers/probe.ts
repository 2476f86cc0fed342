/**
 * `withProbe`: before the first conditional put, proves that conditions work; refuses the storage when they do not.
 *
 * Some servers ignore conditions and answer "stored": two writers would both win. The proof takes one random key, about thirty
 * small requests, once per wrapper, and removes its key again. Reads never wait for it. It catches what is broken, not what
 * is rare: storage whose conditions hold only most of the time may pass.
 */
import { type ByteInput, utf8Decode } from '../../bytes/index.ts';
import { systemEnv, type Env } from '../../env.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import type { ETag, PutMode, PutOptions, PutResult, Store } from '../store.ts';
import { Flight } from './flight.ts';
import { ForwardingStore } from './forwarding.ts';

export interface ProbeOptions {
  readonly env?: Env;
}

/** `store`, which takes conditional puts only once it has proved that it honours conditions. */
export function withProbe(store: Store, options: ProbeOptions = {}): Store {
  return new ProbedStore(store, options.env ?? systemEnv);
}

class ProbedStore extends ForwardingStore {
  readonly #env: Env;
  #proven = false;
  #refusal: LodeError | undefined;
  #proof: Flight<void> | undefined;

  constructor(inner: Store, env: Env) {
    super(inner);
    this.#env = env;
  }

  override async put(key: string, body: ByteInput, options?: PutOptions): Promise<PutResult> {
    if (!this.#proven && options?.mode !== 'overwrite') await this.#prove(options?.signal);
    return this.inner.put(key, body, options);
  }

  /** The verdict is kept; a proof that could not be finished is begun again by the next put. */
  async #prove(signal: AbortSignal | undefined): Promise<void> {
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#proof === undefined || this.#proof.stopped) {
      const proof = new Flight((stop) => proveConditions(this.inner, this.#env, stop));
      this.#proof = proof;
      void proof.finished.then(() => {
        if (this.#proof === proof) this.#proof = undefined;
      });
    }
    try {
      await this.#proof.wait(signal);
      this.#proven = true;
    } catch (error) {
      if (isLodeError(error, 'LODE_CONDITIONS_UNSUPPORTED')) this.#refusal = error;
      throw error;
    }
  }
}

/** Racers of each race: enough for a store that checks first and writes later to let two through. */
const racers = 8;

/** Resolves when conditions work; `LODE_CONDITIONS_UNSUPPORTED` names the first thing that does not. */
async function proveConditions(store: Store, env: Env, signal: AbortSignal): Promise<void> {
  if (store.capabilities.conditionalWrites === 'none') {
    throw refusal(store, 'conditional writes', 'atomic ones', 'none, as the store says itself');
  }
  const probe = new Probe(store, `lode-probe-${env.id()}`, signal);
  try {
    await probe.run();
  } catch (error) {
    // "Not implemented" and the like are a verdict; no answer, no permission and aborts are not.
    if (isLodeError(error) && (error.kind === 'unsupported' || error.kind === 'invalid')) {
      if (error.code === 'LODE_CONDITIONS_UNSUPPORTED') throw error;
      throw refusal(store, 'a conditional put', 'an answer', error.code, error);
    }
    throw error;
  } finally {
    // Not on the caller's signal: the key goes even when the caller has.
    await store.delete(probe.key).catch(() => {});
  }
}

class Probe {
  readonly key: string;
  readonly #store: Store;
  readonly #signal: AbortSignal;

  constructor(store: Store, key: string, signal: AbortSignal) {
    this.#store = store;
    this.key = key;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    await this.#expectConflict('ifMatch where nothing is', { ifMatch: '"lode-probe"' }, 'probe 0');
    await this.#expectContent('after ifMatch where nothing is', undefined);
    const first = await this.#expectStored('create where nothing is', 'create', 'probe 1');
    await this.#expectConflict('create where something is', 'create', 'probe 2');
    await this.#expectContent('after a create that lost', 'probe 1');
    const second = await this.#expectStored('ifMatch', { ifMatch: first }, 'probe 3');
    if (second === first) this.#refuse('etag of other content', 'another etag', first);
    await this.#expectConflict('ifMatch with a stale etag', { ifMatch: first }, 'probe 4');
    await this.#expectContent('after an ifMatch that lost', 'probe 3');
    await this.#expectEtag(second);

    await this.#race('a race of ifMatch', { ifMatch: second });
    await this.#store.delete(this.key, { signal: this.#signal });
    await this.#race('a race of create', 'create');
  }

  async #put(mode: PutMode, content: string): Promise<PutResult> {
    return this.#store.put(this.key, content, { mode, signal: this.#signal });
  }

  async #expectStored(what: string, mode: PutMode, content: string): Promise<ETag> {
    const result = await this.#put(mode, content);
    if (result.outcome !== 'stored') this.#refuse(what, 'stored', 'conflict');
    const { etag } = result;
    // A weak etag says "about the same": no good for a comparison that decides.
    if (etag === '' || etag.startsWith('W/')) this.#refuse('etag', 'a strong one', etag);
    await this.#expectContent(`after ${what}`, content);
    return etag;
  }

  async #expectConflict(what: string, mode: PutMode, content: string): Promise<void> {
    const { outcome } = await this.#put(mode, content);
    if (outcome !== 'conflict') this.#refuse(what, 'conflict', outcome);
  }

  async #expectContent(what: string, expected: string | undefined): Promise<void> {
    const object = await this.#store.get(this.key, { signal: this.#signal });
    const actual = object && utf8Decode(await object.bytes());
    if (actual === expected) return;
    this.#refuse(`content ${what}`, expected ?? 'nothing', actual ?? 'nothing');
  }

  async #expectEtag(expected: ETag): Promise<void> {
    const info = await this.#store.head(this.key, { signal: this.#signal });
    if (info?.etag !== expected) this.#refuse('etag of head', expected, info?.etag ?? 'nothing');
  }

  /** Of several at once, exactly one is stored, and it is the one that is there afterwards. */
  async #race(what: string, mode: PutMode): Promise<void> {
    const names = Array.from({ length: racers }, (_, i) => `racer ${i}`);
    const settled = await Promise.allSettled(names.map((name) => this.#put(mode, name)));
    const winners: string[] = [];
    settled.forEach((result, i) => {
      if (result.status === 'rejected') throw result.reason;
      if (result.value.outcome === 'stored') winners.push(names[i] ?? '');
    });
    if (winners.length !== 1) this.#refuse(what, '1 winner', `${winners.length} winners`);
    await this.#expectContent(`after ${what}`, winners[0]);
  }

  #refuse(what: string, expected: string, actual: string): never {
    throw refusal(this.#store, what, expected, actual);
  }
}

function refusal(
  store: Store,
  field: string,
  expected: string,
  actual: string,
  cause?: unknown,
): LodeError {
  return new LodeError(
    'LODE_CONDITIONS_UNSUPPORTED',
    `storage "${store.capabilities.name}" does not honour conditional writes`,
    { field, expected, actual },
    { cause },
  );
}
