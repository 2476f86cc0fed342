/** Formats as they lie in a store: an object of a whole dataset or volume is damaged, and everything that reads it is tried. */
import type { Store } from '../../src/store/index.ts';
import type { Mutation } from './mutate.ts';

export interface CorruptedFormat {
  readonly name: string;
  readonly mutations: readonly Mutation[];
  goldens(): Promise<readonly Uint8Array[]>;
  /** Returns when the bytes pass, throws what a user would see. `original` is the golden they come from. */
  read(bytes: Uint8Array, original: Uint8Array): void | Promise<void>;
}

/** What is damaged, and what reads it, each by itself. */
export interface Whole {
  readonly fill: () => Promise<Store>;
  readonly readers: readonly ((store: Store) => Promise<unknown>)[];
}

/** One after the other, and one further each round: every mutation meets every reader. */
export function taken<T>(items: readonly T[], turn: number): T | undefined {
  return items[(turn + Math.floor(turn / items.length)) % items.length];
}

/** Damages the objects of one kind of what is otherwise whole. */
export function inStore(
  { fill, readers }: Whole,
  name: string,
  pattern: RegExp,
  mutations: readonly Mutation[],
): CorruptedFormat {
  let turn = 0;
  const origins = new WeakMap<Uint8Array, { readonly store: Store; readonly key: string }>();
  return {
    name,
    mutations,
    async goldens() {
      const store = await fill();
      const goldens: Uint8Array[] = [];
      for await (const { key } of store.list('')) {
        if (!pattern.test(key)) continue;
        const bytes = (await (await store.get(key))?.bytes()) ?? new Uint8Array();
        origins.set(bytes, { store, key });
        goldens.push(bytes);
      }
      return goldens;
    },
    async read(bytes, original) {
      const origin = origins.get(original);
      if (origin === undefined) throw new TypeError('a golden of another format');
      const { store, key: path } = origin;
      await store.put(path, bytes, { mode: 'overwrite' });
      try {
        await taken(readers, turn++)?.(store);
      } finally {
        await store.put(path, original, { mode: 'overwrite' });
      }
    },
  };
}

export async function exhaust(items: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of items);
}
