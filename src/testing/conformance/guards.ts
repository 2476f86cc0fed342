/** Guarded puts: `beforePublish` runs after the comparison holds and before the new content shows, or not at all. */
import { utf8Encode } from '../../bytes/index.ts';
import { fails, onStore, rejectsWith, same, stored, text, type Case } from './case.ts';
import type { Store } from '../../store/store.ts';

const key = 'guard/latest';

/** Where the store cannot guard, it must say so instead of ignoring the guard. */
function guarded(name: string, run: (store: Store) => Promise<void>): Case {
  return onStore(name, async (store) => {
    if (store.capabilities.guardedPut) return run(store);
    let ran = false;
    const put = (): Promise<unknown> =>
      store.put(key, 'x', {
        beforePublish: async () => {
          ran = true;
        },
      });
    await fails(put, 'guarded put on a store without them', 'LODE_UNSUPPORTED');
    same([ran, await store.head(key)], [false, undefined], 'guard and object');
  });
}

export const guardCases: readonly Case[] = [
  guarded('content that shows before the guard has run', async (store) => {
    const etag = await stored(store, key, 'old');
    const seen: unknown[] = [];
    const result = await store.put(key, 'new', {
      mode: { ifMatch: etag },
      beforePublish: async () => {
        seen.push(await text(store, key));
        await stored(store, 'guard/manifest', 'm');
        seen.push(await text(store, key), (await store.head(key))?.etag === etag);
      },
    });
    same(result.outcome, 'stored', 'put');
    same(seen, ['old', 'old', true], 'what the guard saw');
    same([await text(store, key), await text(store, 'guard/manifest')], ['new', 'm'], 'after');
  }),

  guarded('a guarded create that shows before the guard has run', async (store) => {
    let seen: unknown = 'guard did not run';
    await store.put(key, 'new', { beforePublish: async () => void (seen = await store.head(key)) });
    same(seen, undefined, 'what the guard saw');
    same(await text(store, key), 'new', 'content');
  }),

  guarded('a guarded overwrite that skips its guard', async (store) => {
    await stored(store, key, 'old');
    let runs = 0;
    await store.put(key, 'new', { mode: 'overwrite', beforePublish: async () => void runs++ });
    same([runs, await text(store, key)], [1, 'new'], 'runs and content');
  }),

  guarded('bytes of a guard that are not published in place of the body', async (store) => {
    const instead = (content: string) => async (): Promise<Uint8Array> => utf8Encode(content);
    const first = await store.put(key, 'body', { beforePublish: instead('from the guard') });
    same([first.outcome, await text(store, key)], ['stored', 'from the guard'], 'create');
    const mode = { ifMatch: first.etag ?? '' };
    await store.put(key, 'body', { mode, beforePublish: instead('') });
    same([await text(store, key), (await store.head(key))?.size], ['', 0], 'ifMatch');
  }),

  guarded('a guard that fails and is published all the same', async (store) => {
    const reason = new Error('manifest refused');
    const beforePublish = (): Promise<void> => Promise.reject(reason);
    await rejectsWith(() => store.put(key, 'new', { beforePublish }), reason, 'create');
    same(await store.head(key), undefined, 'object');
    const etag = await stored(store, key, 'old');
    for (const mode of ['overwrite', { ifMatch: etag }] as const) {
      await rejectsWith(() => store.put(key, 'new', { mode, beforePublish }), reason, 'put');
    }
    same([await text(store, key), (await store.head(key))?.etag], ['old', etag], 'object');
    // The lock is free again.
    await stored(store, key, 'next', { ifMatch: etag });
  }),

  guarded('a guard that runs though the race is lost', async (store) => {
    const etag = await stored(store, key, 'first');
    await stored(store, key, 'second', { ifMatch: etag });
    let runs = 0;
    const beforePublish = async (): Promise<void> => void runs++;
    for (const mode of ['create', { ifMatch: etag }] as const) {
      same((await store.put(key, 'x', { mode, beforePublish })).outcome, 'conflict', 'put');
    }
    same([runs, await text(store, key)], [0, 'second'], 'runs and content');
  }),

  guarded('two guards of one race that both run', async (store) => {
    const etag = await stored(store, key, 'start');
    const ran: number[] = [];
    const results = await Promise.all(
      Array.from({ length: 16 }, (_, i) =>
        store.put(key, `racer ${i}`, {
          mode: { ifMatch: etag },
          beforePublish: async () => {
            ran.push(i);
            await stored(store, `guard/manifest-${i}`, 'm');
          },
        }),
      ),
    );
    const winners = results.flatMap(({ outcome }, i) => (outcome === 'stored' ? [i] : []));
    same(winners, ran, 'winners are those whose guard ran');
    same(ran.length, 1, 'guards that ran');
  }),

  guarded(
    'a guard that reads the object it is about to replace and waits for itself',
    async (store) => {
      const etag = await stored(store, key, 'old');
      await store.put(key, 'new', {
        mode: { ifMatch: etag },
        beforePublish: async () => {
          for await (const info of store.list('guard/')) same(info.key, key, 'listed');
          await store.delete('guard/unrelated');
        },
      });
      same(await text(store, key), 'new', 'content');
    },
  ),
];
