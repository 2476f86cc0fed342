/**
 * Stores that cannot be trusted with conditional writes, each in its own way: what a probe has to refuse (R13).
 *
 * Modelled on servers that answered "stored" whatever the condition, on proxies that drop headers, and on gateways that check
 * first and write later.
 */
import type { ByteInput } from '../../bytes/index.ts';
import { LodeError } from '../../errors.ts';
import type {
  GetOptions,
  ObjectInfo,
  PutMode,
  PutOptions,
  PutResult,
  Store,
  StoreCapabilities,
  StoredObject,
} from '../../store/store.ts';
import { ForwardingObject, ForwardingStore } from '../../store/wrappers/forwarding.ts';

interface Call {
  readonly store: Store;
  readonly key: string;
  readonly body: ByteInput;
  readonly mode: PutMode;
  readonly signal: AbortSignal | undefined;
  /** Remembered from call to call. */
  readonly memory: Map<string, string>;
}

interface Habit {
  readonly put?: (call: Call) => Promise<PutResult>;
  /** What becomes of every etag that is told. */
  readonly etag?: (etag: string, info: ObjectInfo, memory: Map<string, string>) => string;
  /** Replaces reads. */
  readonly get?: (
    store: Store,
    key: string,
    memory: Map<string, string>,
  ) => Promise<StoredObject | undefined>;
  readonly capabilities?: Partial<StoreCapabilities>;
}

class Misbehaving extends ForwardingStore {
  readonly #habit: Habit;
  readonly #memory: Map<string, string> = new Map();

  constructor(inner: Store, habit: Habit) {
    super(inner);
    this.#habit = habit;
  }

  override get capabilities(): StoreCapabilities {
    return { ...this.inner.capabilities, ...this.#habit.capabilities };
  }

  override async put(key: string, body: ByteInput, options: PutOptions = {}): Promise<PutResult> {
    const { mode = 'create', signal } = options;
    const habit = this.#habit;
    const call = { store: this.inner, key, body, mode: await this.#real(key, mode), signal };
    const result = await (habit.put ?? plain)({ ...call, memory: this.#memory });
    const info = await this.inner.head(key);
    if (result.outcome === 'conflict' || info === undefined) return result;
    return { ...result, etag: this.#told(result.etag, info) };
  }

  override async get(key: string, options?: GetOptions): Promise<StoredObject | undefined> {
    const { get } = this.#habit;
    const object = await (get ? get(this.inner, key, this.#memory) : this.inner.get(key, options));
    return object && new Renamed(object, this.#told(object.etag, object));
  }

  override async head(key: string): Promise<ObjectInfo | undefined> {
    const info = await this.inner.head(key);
    return info && { ...info, etag: this.#told(info.etag, info) };
  }

  #told(etag: string, info: ObjectInfo): string {
    return this.#habit.etag?.(etag, info, this.#memory) ?? etag;
  }

  /** An etag that was told, back in terms of the store below. */
  async #real(key: string, mode: PutMode): Promise<PutMode> {
    if (typeof mode === 'string' || this.#habit.etag === undefined) return mode;
    const info = await this.inner.head(key);
    const matches = info !== undefined && this.#told(info.etag, info) === mode.ifMatch;
    return matches ? { ifMatch: info.etag } : mode;
  }
}

class Renamed extends ForwardingObject {
  override readonly etag: string;

  constructor(inner: StoredObject, etag: string) {
    super(inner);
    this.etag = etag;
  }
}

const plain = ({ store, key, body, mode, signal }: Call): Promise<PutResult> =>
  store.put(key, body, { mode, signal });

const write = ({ store, key, body, signal }: Call): Promise<PutResult> =>
  store.put(key, body, { mode: 'overwrite', signal });

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

const isSwap = (mode: PutMode): boolean => typeof mode === 'object';

/** What an honest store would answer now, without doing it. */
async function holds({ store, key, mode }: Call): Promise<boolean> {
  const info = await store.head(key);
  return mode === 'create'
    ? info === undefined
    : info?.etag === (mode as { ifMatch: string }).ifMatch;
}

async function checkThenWrite(call: Call): Promise<PutResult> {
  const free = await holds(call);
  await pause();
  return free ? write(call) : { outcome: 'conflict' };
}

const refuse = (code: 'LODE_UNSUPPORTED' | 'LODE_INVALID_ARGUMENT'): Habit => ({
  put: (call) =>
    call.mode === 'overwrite'
      ? write(call)
      : Promise.reject(new LodeError(code, 'not implemented here', { key: call.key })),
});

const habits: Readonly<Record<string, Habit>> = {
  'ignores ifMatch': { put: (call) => (isSwap(call.mode) ? write(call) : plain(call)) },
  'ignores create': { put: (call) => (isSwap(call.mode) ? plain(call) : write(call)) },
  'ignores every condition': { put: write },
  'ignores ifMatch where nothing is': {
    put: async (call) => ((await call.store.head(call.key)) ? plain(call) : write(call)),
  },
  'answers every condition with conflict': { put: async () => ({ outcome: 'conflict' }) },
  'answers every create with conflict': {
    put: async (call) => (isSwap(call.mode) ? plain(call) : { outcome: 'conflict' }),
  },
  'answers every ifMatch with conflict': {
    put: async (call) => (isSwap(call.mode) ? { outcome: 'conflict' } : plain(call)),
  },
  'says stored and stores nothing': { put: async () => ({ outcome: 'stored', etag: '"x"' }) },
  'says stored and stores nothing on ifMatch': {
    put: async (call) => (isSwap(call.mode) ? { outcome: 'stored', etag: '"x"' } : plain(call)),
  },
  'says stored and stores half': {
    put: (call) => plain({ ...call, body: 'hal' }),
  },
  'says conflict and stores': {
    put: async (call) => {
      const free = await holds(call);
      const result = await write(call);
      return free ? result : { outcome: 'conflict' };
    },
  },
  'tells weak etags': { etag: (etag) => `W/"${etag}"` },
  'tells empty etags': { etag: () => '' },
  'tells one etag for all content': { etag: () => '"same"' },
  'tells etags that never change': { etag: (_, { key }) => `"${key}"` },
  'tells etags of the size alone': { etag: (_, { size }) => `"${size}"` },
  'tells another etag every time': {
    etag: (etag, _, memory) => {
      memory.set('n', String(Number(memory.get('n') ?? 0) + 1));
      return `"${etag}-${memory.get('n')}"`;
    },
  },
  'takes any etag it ever told': {
    put: async (call) => {
      const known =
        isSwap(call.mode) && call.memory.has((call.mode as { ifMatch: string }).ifMatch);
      const result = await (known ? write(call) : plain(call));
      if (result.outcome === 'stored') call.memory.set(result.etag, call.key);
      return result;
    },
  },
  'refuses conditions as not implemented': refuse('LODE_UNSUPPORTED'),
  'refuses conditions as a bad request': refuse('LODE_INVALID_ARGUMENT'),
  'checks first and writes later': { put: checkThenWrite },
  'checks first and writes later on create': {
    put: (call) => (isSwap(call.mode) ? plain(call) : checkThenWrite(call)),
  },
  'checks first and writes later on ifMatch': {
    put: (call) => (isSwap(call.mode) ? checkThenWrite(call) : plain(call)),
  },
  'tells every racer that it won': {
    put: async (call) => {
      const free = await holds(call);
      const result = await plain(call);
      return free && result.outcome === 'conflict' ? { outcome: 'stored', etag: '"won"' } : result;
    },
  },
  'answers a create after a delete with conflict': {
    put: async (call) => {
      if (call.mode !== 'create' || !call.memory.has(call.key)) {
        call.memory.set(call.key, 'seen');
        return plain(call);
      }
      return { outcome: 'conflict' };
    },
  },
  'shows writes one read late': {
    async get(store, key, memory) {
      const object = await store.get(key);
      const now = object?.etag ?? 'nothing';
      const before = memory.get(key);
      memory.set(key, now);
      if (before === undefined || before === now) return object;
      await object?.cancel();
      return undefined;
    },
  },
  'declares no conditions': { capabilities: { conditionalWrites: 'none' } },
};

/** Name and maker of each: wraps a good store into a bad one. */
export const misbehavingStores: readonly {
  readonly name: string;
  readonly wrap: (store: Store) => Store;
}[] = Object.entries(habits).map(([name, habit]) => ({
  name,
  wrap: (store) => new Misbehaving(store, habit),
}));
