/** Hostile keys at every entry point: they round-trip, or they are refused with one verdict. */
import { compareUtf8, utf8Length } from '../../bytes/index.ts';
import { isLodeError } from '../../errors.ts';
import type { Store, StoreCapabilities } from '../../store/store.ts';
import { hostileKeys, type HostileKey } from '../hostile-keys.ts';
import { check, fails, inOrder, names, onStore, same, stored, text, type Case } from './case.ts';

/** What a store with these capabilities must do with a key. */
export function verdictOf(
  { verdict, clean }: HostileKey,
  capabilities: StoreCapabilities,
): 'round-trip' | 'LODE_INVALID_KEY' {
  const fits =
    utf8Length(clean) <= capabilities.keyBytesMax &&
    clean.split('/').every((part) => utf8Length(part) <= capabilities.componentBytesMax);
  return verdict === 'valid' && fits ? 'round-trip' : 'LODE_INVALID_KEY';
}

async function refuses(store: Store, key: string): Promise<void> {
  const what = `key ${JSON.stringify(key.slice(0, 60))}`;
  const code = 'LODE_INVALID_KEY';
  await fails(() => store.put(key, 'x'), `${what}: create`, code);
  await fails(() => store.put(key, 'x', { mode: 'overwrite' }), `${what}: overwrite`, code);
  await fails(() => store.put(key, 'x', { mode: { ifMatch: '1' } }), `${what}: ifMatch`, code);
  await fails(() => store.get(key), `${what}: get`, code);
  await fails(() => store.head(key), `${what}: head`, code);
  await fails(() => store.delete(key), `${what}: delete`, code);
}

/** As a prefix a key may be legal where it is no key; then it finds what is there, and never fails untyped. */
async function listsSafely(store: Store, prefix: string): Promise<void> {
  try {
    await names(store, prefix);
  } catch (error) {
    if (!isLodeError(error, 'LODE_INVALID_KEY')) throw error;
  }
}

async function roundTrips(store: Store, { key, clean }: HostileKey): Promise<void> {
  const what = `key ${JSON.stringify(key.slice(0, 60))}`;
  const etag = await stored(store, key, `content of ${clean}`);
  same(await text(store, key), `content of ${clean}`, `${what}: get`);
  const head = await store.head(clean);
  same([head?.key, head?.etag], [clean, etag], `${what}: head`);
  same((await store.put(clean, 'x')).outcome, 'conflict', `${what}: create again`);
  same((await names(store, clean)).includes(clean), true, `${what}: listed by itself`);
}

function familyCase(family: string, keys: readonly HostileKey[]): Case {
  return onStore(`hostile keys: ${family}`, async (store) => {
    const there: string[] = [];
    for (const hostile of keys) {
      if (verdictOf(hostile, store.capabilities) === 'round-trip') {
        await roundTrips(store, hostile);
        there.push(hostile.clean);
      } else {
        await refuses(store, hostile.key);
      }
      await listsSafely(store, hostile.key);
    }
    there.sort(compareUtf8);
    same(await names(store, ''), inOrder(store, there), 'everything that is there');
    await store.delete(there);
    same(await names(store, ''), [], 'left after delete');
  });
}

const families = new Map<string, HostileKey[]>();
for (const hostile of hostileKeys) {
  families.set(hostile.family, [...(families.get(hostile.family) ?? []), hostile]);
}

export const keyCases: readonly Case[] = [
  ...[...families].map(([family, keys]) => familyCase(family, keys)),

  onStore('spellings of one key that are two objects', async (store) => {
    await stored(store, 'dir//object', 'x');
    for (const key of ['dir/object', './dir/object', 'dir/./object/', 'dir/x/../object']) {
      same(await text(store, key), 'x', key);
      same((await store.put(key, 'y')).outcome, 'conflict', key);
    }
    await store.delete('dir/object/');
    same(await names(store, ''), [], 'left');
  }),

  onStore('a key above another that damages it', async (store) => {
    await stored(store, 'up/down', 'below');
    try {
      await store.put('up', 'above');
      same(await text(store, 'up'), 'above', 'content above');
    } catch (error) {
      // A file system cannot hold both; it must say so.
      check(isLodeError(error, 'LODE_INVALID_KEY'), `untyped: ${String(error)}`);
    }
    same(await text(store, 'up/down'), 'below', 'content below');
  }),

  onStore('a key below another that damages it', async (store) => {
    await stored(store, 'up', 'above');
    try {
      await store.put('up/down', 'below');
      same(await text(store, 'up/down'), 'below', 'content below');
    } catch (error) {
      check(isLodeError(error, 'LODE_INVALID_KEY'), `untyped: ${String(error)}`);
    }
    same(await text(store, 'up'), 'above', 'content above');
  }),

  onStore('keys that are not strings', async (store) => {
    for (const key of [undefined, null, 7, {}, ['a']]) {
      await fails(() => store.put(key as string, 'x'), typeof key, 'LODE_INVALID_KEY');
      await fails(() => store.get(key as string), typeof key, 'LODE_INVALID_KEY');
    }
  }),
];
