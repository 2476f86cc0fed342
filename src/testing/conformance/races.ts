/** Races: many at once, exactly one winner, nothing lost. */
import { utf8Encode } from '../../bytes/index.ts';
import { check, same, stored, text, type Case, type CaseContext, type Opened } from './case.ts';
import type { PutMode, PutResult, Store } from '../../store/store.ts';

const racers = 64;

async function handles({ store, another }: Opened): Promise<Store[]> {
  // A second handle joins where the store says that its conditions hold between writers.
  const shared = another !== undefined && store.capabilities.conditionalWrites === 'all';
  return shared ? [store, await another()] : [store];
}

/**
 * All at once: exactly one is stored, all others conflict, and the winner's content is there. No two races share content:
 * where an etag is a hash, a swap that changes nothing would leave room for a second winner.
 */
async function race(stores: Store[], key: string, mode: PutMode, round: number): Promise<string> {
  const content = (i: number): string => `round ${round} racer ${i}`;
  const results = await Promise.all(
    Array.from({ length: racers }, (_, i): Promise<PutResult> => {
      const store = stores[i % stores.length] as Store;
      return store.put(key, content(i), { mode });
    }),
  );
  const winners = results.flatMap(({ outcome }, i) => (outcome === 'stored' ? [i] : []));
  same(winners.length, 1, `winners of ${racers}`);
  const winner = winners[0] ?? 0;
  same(await text(stores[0] as Store, key), content(winner), 'content after the race');
  return results[winner]?.etag ?? '';
}

function racing(name: string, run: (stores: Store[], context: CaseContext) => Promise<void>): Case {
  return {
    name,
    async run(storage, context) {
      if (storage.store.capabilities.conditionalWrites === 'none') return;
      await run(await handles(storage), context);
    },
  };
}

export const raceCases: readonly Case[] = [
  racing('two winners of a compare-and-swap', async (stores, { rounds }) => {
    let etag = await stored(stores[0] as Store, 'race/pointer', 'start');
    for (let round = 0; round < rounds; round++) {
      etag = await race(stores, 'race/pointer', { ifMatch: etag }, round);
    }
  }),

  racing('two winners of a create', async (stores, { rounds }) => {
    // Each round leaves an object behind: fewer of them show as much.
    for (let round = 0; round < Math.ceil(rounds / 10); round++) {
      await race(stores, `race/${round}`, 'create', round);
    }
  }),

  racing('two winners of a race whose bodies stream in', async (stores) => {
    async function* slowly(i: number): AsyncGenerator<Uint8Array> {
      for (const part of ['racer ', String(i)]) {
        await Promise.resolve();
        yield utf8Encode(part);
      }
    }
    const etag = await stored(stores[0] as Store, 'race/swap', 'start');
    for (const [key, mode] of [
      ['race/create', 'create'],
      ['race/swap', { ifMatch: etag }],
    ] as const) {
      const results = await Promise.all(
        Array.from({ length: racers }, (_, i) =>
          (stores[i % stores.length] as Store).put(key, slowly(i), { mode }),
        ),
      );
      const winners = results.flatMap(({ outcome }, i) => (outcome === 'stored' ? [i] : []));
      same(winners.length, 1, `winners of ${racers}`);
      same(await text(stores[0] as Store, key), `racer ${winners[0]}`, 'content after the race');
    }
  }),

  racing('increments that get lost', async (stores) => {
    const [writers, each] = [8, 5];
    await stored(stores[0] as Store, 'race/counter', '0');
    const increment = async (store: Store): Promise<void> => {
      for (let done = 0, tries = 0; done < each; tries++) {
        check(tries < writers * each * 10, 'a writer never gets through');
        const object = await store.get('race/counter');
        check(object !== undefined, 'counter vanished');
        const { etag } = object;
        const next = String(Number(new TextDecoder().decode(await object.bytes())) + 1);
        const result = await store.put('race/counter', next, { mode: { ifMatch: etag } });
        if (result.outcome === 'stored') done++;
      }
    };
    await Promise.all(
      Array.from({ length: writers }, (_, i) => increment(stores[i % stores.length] as Store)),
    );
    same(await text(stores[0] as Store, 'race/counter'), String(writers * each), 'counter');
  }),

  racing('overwrites at once that mix or fail', async (stores) => {
    const size = 50_000;
    const puts = Array.from({ length: 16 }, (_, i) =>
      (stores[i % stores.length] as Store).put('race/mix', new Uint8Array(size + i).fill(i), {
        mode: 'overwrite',
      }),
    );
    for (const { outcome } of await Promise.all(puts)) same(outcome, 'stored', 'overwrite');
    const bytes = await (await stores[0]?.get('race/mix'))?.bytes();
    check(bytes?.every((byte) => byte === bytes[0]) === true, 'bytes of two writers');
    same(bytes?.length, size + (bytes?.[0] ?? 0), 'length');
  }),

  racing('a swap that wins over an overwrite it did not see', async (stores) => {
    const store = stores[0] as Store;
    for (let round = 0; round < 10; round++) {
      const etag = await stored(store, 'race/both', `start ${round}`, 'overwrite');
      const [swap] = await Promise.all([
        store.put('race/both', 'swap', { mode: { ifMatch: etag } }),
        store.put('race/both', 'overwrite', { mode: 'overwrite' }),
      ]);
      // Whatever the order, the overwrite is last or the swap lost; never a swap on top of an overwrite.
      const left = await text(store, 'race/both');
      same(left, 'overwrite', `content when the swap was answered ${swap.outcome}`);
    }
  }),

  racing('keys made and unmade at once that stand in each other’s way', async (stores) => {
    const store = stores[0] as Store;
    await Promise.all(
      Array.from({ length: 16 }, async (_, i) => {
        for (let round = 0; round < 5; round++) {
          await stored(store, `race/deep/${i % 4}/${i}/${round}`, 'x');
          await store.delete(`race/deep/${i % 4}/${i}/${round}`);
        }
      }),
    );
  }),
];
