/**
 * A key-value store that survives crashes: every change is on the disk before it is acknowledged, and before anybody can read it.
 * A change that depends on what is there is checked where no other change can come between.
 */
import assert from 'node:assert/strict';
import { openJournal, structured } from 'lode/journal';
import type { Journal } from 'lode/journal';
import { temporaryDirectory } from './temporary.ts';

type Values = Map<string, unknown>;
type Change = { readonly key: string; readonly value?: unknown; readonly ifAbsent?: boolean };

class DurableMap implements AsyncDisposable {
  readonly #journal: Journal<Values, Change>;
  constructor(journal: Journal<Values, Change>) {
    this.#journal = journal;
  }

  static async open(directory: string): Promise<DurableMap> {
    const journal = await openJournal<Values, Change>(directory, {
      initial: () => new Map(),
      apply: (values, { key, value }) =>
        void (value === undefined ? values.delete(key) : values.set(key, value)),
      check: (values, { key, ifAbsent }) => {
        if (ifAbsent && values.has(key)) throw new Error(`${key} is taken`);
      },
      codec: structured(),
      // Opening reads the newest snapshot and the events behind it.
      snapshot: { everyRecords: 10_000 },
    });
    return new DurableMap(journal);
  }

  get(key: string): unknown {
    return this.#journal.state.get(key);
  }

  /** Resolves once it is durable; those that wait at the same time share one sync. */
  async set(key: string, value: unknown, options: { ifAbsent?: boolean } = {}): Promise<void> {
    await this.#journal.append({ key, value, ...options });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#journal.close();
  }
}

await using directory = await temporaryDirectory();
{
  await using users = await DurableMap.open(directory.path);
  await users.set('ada', { born: new Date('1815-12-10') }, { ifAbsent: true });
  await assert.rejects(users.set('ada', 'another', { ifAbsent: true }), /is taken/);
  await Promise.all(Array.from({ length: 1000 }, (_, i) => users.set(`user-${i}`, i)));
}
await using users = await DurableMap.open(directory.path);
assert.deepEqual(users.get('ada'), { born: new Date('1815-12-10') });
console.log('ada', users.get('ada'), '· user-999', users.get('user-999'));
