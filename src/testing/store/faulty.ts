/** A store whose calls go wrong according to a plan. What it breaks, and only that, is in the plan. */
import { byteSource, readSource, type ByteInput } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import type {
  CallOptions,
  CommonPrefix,
  DeleteResult,
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutOptions,
  PutResult,
  Store,
  StoredObject,
} from '../../store/store.ts';
import { ForwardingStore } from '../../store/wrappers/forwarding.ts';
import { FaultyObject, isBodyFault } from './faulty-body.ts';
import { storeFaults, type StoreCall, type StoreFault, type StoreFaultKind } from './faults.ts';

export interface FaultyStore {
  readonly store: Store;
  /** Calls so far. */
  readonly calls: number;
  /** Calls that a fault hit. */
  readonly fired: number;
  /** Lets every late effect happen now. */
  settle(): Promise<void>;
}

/** `store`, broken as planned. The first fault of the plan that matches a call hits it. */
export function faultyStore(store: Store, plan: StoreFault | readonly StoreFault[]): FaultyStore {
  const faulty = new Faulty(store, 'kind' in plan ? [plan] : plan);
  return {
    store: faulty,
    get calls() {
      return faulty.calls;
    },
    get fired() {
      return faulty.fired;
    },
    settle: () => faulty.settle(),
  };
}

interface Late {
  readonly due: number;
  readonly land: () => Promise<void>;
  /** It may wait for calls of this store. */
  readonly waits: boolean;
}

class Faulty extends ForwardingStore {
  calls = 0;
  fired = 0;
  readonly #plan: readonly StoreFault[];
  /** Matches so far, fault by fault. */
  readonly #matches: number[];
  #late: Late[] = [];
  readonly #landing: Promise<void>[] = [];
  /** Guarded puts under way. */
  #guards = 0;
  readonly #recent: string[] = [];

  constructor(inner: Store, plan: readonly StoreFault[]) {
    super(inner);
    this.#plan = plan;
    this.#matches = plan.map(() => 0);
  }

  override async put(key: string, body: ByteInput, options: PutOptions = {}): Promise<PutResult> {
    const fault = await this.#next('put', key);
    this.#recent.push(key);
    const put = (): Promise<PutResult> => this.#put(key, body, options);
    if (fault === undefined) return put();
    const faults: Partial<Record<StoreFaultKind, () => Promise<PutResult>>> = {
      'false-conflict': async () => ({ outcome: 'conflict' }),
      missing: async () => (typeof options.mode === 'object' ? { outcome: 'conflict' } : put()),
      'conflict-with-own': async () => ({ ...(await put()), outcome: 'conflict' }),
      'effect-then-lie': async () => {
        await put();
        throw unavailable(key);
      },
      'effect-then-fail': async () => {
        const { outcome } = await put();
        throw uncertain(key, async () => outcome === 'stored');
      },
      'effect-then-hang': async () => {
        await put();
        return hang(options.signal);
      },
      'late-effect': async () => {
        throw await this.#postpone(key, body, options, fault.laterBy ?? 3);
      },
    };
    return faults[fault.kind]?.() ?? before(fault.kind, key, options.signal);
  }

  override async get(key: string, options: GetOptions = {}): Promise<StoredObject | undefined> {
    const fault = await this.#next('get', key);
    if (fault === undefined) return this.inner.get(key, options);
    if (fault.kind === 'missing') return undefined;
    if (!isBodyFault(fault.kind)) return before(fault.kind, key, options.signal);
    const object = await this.inner.get(key, options);
    return object && new FaultyObject(object, fault.kind);
  }

  override async head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    const fault = await this.#next('head', key);
    if (fault?.kind === 'missing') return undefined;
    if (fault !== undefined && fault.kind !== 'wrong-size') {
      return before(fault.kind, key, options.signal);
    }
    const info = await this.inner.head(key, options);
    return fault === undefined ? info : info && { ...info, size: info.size + 1 };
  }

  protected override async *entries(
    prefix: string,
    options: ListOptions,
  ): AsyncIterable<ObjectInfo | CommonPrefix> {
    const fault = await this.#next('list', prefix);
    const stale = this.#recent.slice(-3);
    if (fault === undefined) return yield* this.inner.list(prefix, options);
    const all: (ObjectInfo | CommonPrefix)[] = [];
    for await (const entry of this.inner.list(prefix, options)) all.push(entry);
    if (fault.kind === 'unordered-list') return yield* all.reverse();
    if (fault.kind === 'stale-list') {
      return yield* all.filter((entry) => !('key' in entry && stale.includes(entry.key)));
    }
    if (fault.kind !== 'cut-list') return before(fault.kind, prefix, options.signal);
    yield* all.slice(0, all.length >> 1);
    throw unavailable(prefix);
  }

  override async delete(
    keys: string | readonly string[],
    options: CallOptions = {},
  ): Promise<DeleteResult[]> {
    const key = typeof keys === 'string' ? keys : (keys[0] ?? '');
    const fault = await this.#next('delete', key);
    if (fault === undefined) return this.inner.delete(keys, options);
    if (!fault.kind.startsWith('effect')) return before(fault.kind, key, options.signal);
    await this.inner.delete(keys, options);
    if (fault.kind === 'effect-then-hang') return hang(options.signal);
    throw unavailable(key);
  }

  /** Lets late effects happen whose time has come. */
  async land(now: number): Promise<void> {
    const due = this.#late.filter((late) => late.due <= now);
    this.#late = this.#late.filter((late) => late.due > now);
    for (const { land, waits } of due) {
      // Nobody waits for its answer any more. A call that a guard makes must not wait for what waits for the guard.
      const landed = land().catch(() => {});
      this.#landing.push(landed);
      if (!waits && this.#guards === 0) await landed;
    }
  }

  /** Lets every late effect happen and waits for it. */
  async settle(): Promise<void> {
    while (this.#late.length + this.#landing.length > 0) {
      await this.land(Number.POSITIVE_INFINITY);
      await Promise.all(this.#landing.splice(0));
    }
  }

  /** Counts a call and names the fault that hits it. */
  async #next(call: StoreCall, key: string): Promise<StoreFault | undefined> {
    this.calls++;
    await this.land(this.calls);
    const hit = this.#plan.find((fault, i) => {
      const { kind, on, key: wants, at = 0, times = 1 } = fault;
      if ((on !== undefined && on !== call) || !storeFaults[call].includes(kind)) return false;
      if (wants !== undefined && !wants(key)) return false;
      const match = this.#matches[i] ?? 0;
      this.#matches[i] = match + 1;
      return match >= at && match < at + times;
    });
    if (hit !== undefined) this.fired++;
    return hit;
  }

  async #put(key: string, body: ByteInput, options: PutOptions): Promise<PutResult> {
    const { beforePublish } = options;
    if (beforePublish === undefined) return this.inner.put(key, body, options);
    this.#guards++;
    try {
      return await this.inner.put(key, body, options);
    } finally {
      this.#guards--;
    }
  }

  /** Takes the body now, stores it later, and answers with the error for now. */
  async #postpone(
    key: string,
    body: ByteInput,
    { mode, beforePublish }: PutOptions,
    laterBy: number,
  ): Promise<LodeError> {
    const bytes = await readSource(byteSource(body));
    let landed = false;
    const land = async (): Promise<void> => {
      const result = await this.#put(key, bytes, {
        ...(mode === undefined ? {} : { mode }),
        ...(beforePublish === undefined ? {} : { beforePublish }),
      });
      landed = result.outcome === 'stored';
    };
    const late = { due: this.calls + laterBy, land, waits: beforePublish !== undefined };
    this.#late.push(late);
    return uncertain(key, async () => {
      // An answer has to stay true: what is under way arrives first.
      await this.land(late.due);
      await Promise.all(this.#landing);
      return landed;
    });
  }
}

function before(
  kind: StoreFaultKind,
  key: string,
  signal: AbortSignal | undefined,
): Promise<never> {
  if (kind === 'hang') return hang(signal);
  if (kind === 'deny') {
    return Promise.reject(
      new LodeError('LODE_PERMISSION_DENIED', 'injected: not allowed', { key }),
    );
  }
  if (kind === 'time-out') {
    return Promise.reject(new LodeError('LODE_TIMEOUT', 'injected: no answer in time', { key }));
  }
  return Promise.reject(unavailable(key));
}

function unavailable(key: string): LodeError {
  return new LodeError('LODE_UNAVAILABLE', 'injected: the store is unavailable', { key });
}

function uncertain(key: string, landed: () => Promise<boolean>): LodeError {
  return new LodeError('LODE_WRITE_UNCERTAIN', 'injected: the answer was lost', {
    key,
    resolve: async () => ((await landed()) ? 'landed' : 'not-landed'),
  });
}

/** Settles only by the signal. */
function hang(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
