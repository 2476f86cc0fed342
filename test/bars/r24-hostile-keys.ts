/** R24: hostile keys get one verdict from every store at every entry point, and nothing outside the root is touched. */
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bar } from '../../bench/harness.ts';
import { fsStore } from '../../src/fs.ts';
import { isLodeError, memoryStore, withPrefix, type Store } from '../../src/index.ts';
import { s3Store } from '../../src/s3.ts';
import { verdictOf } from '../../src/testing/conformance/keys.ts';
import { hostileKeys, s3Double, type HostileKey } from '../../src/testing/index.ts';

/** Every way in. Each answers what it did with the key. */
const entries: Readonly<Record<string, (store: Store, key: string) => Promise<unknown>>> = {
  create: (store, key) => store.put(key, key),
  overwrite: (store, key) => store.put(key, key, { mode: 'overwrite' }),
  ifMatch: (store, key) => store.put(key, key, { mode: { ifMatch: 'no such etag' } }),
  get: async (store, key) => (await store.get(key))?.bytes(),
  range: async (store, key) => (await store.get(key, { range: { suffix: 1 } }))?.bytes(),
  head: (store, key) => store.head(key),
  list: async (store, key) => {
    for await (const _ of store.list(key));
  },
  delete: (store, key) => store.delete(key),
  'delete many': (store, key) => store.delete(['unrelated', key]),
};

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'round-trip';
  } catch (error) {
    return isLodeError(error) ? error.code : `untyped ${String(error)}`;
  }
}

/** A tree outside the root as inode, size and time of every entry. */
async function fingerprint(directory: string, except: string): Promise<string> {
  const lines: string[] = [];
  for (const name of (await readdir(directory)).sort()) {
    const path = join(directory, name);
    if (path === except) continue;
    const facts = await stat(path);
    // The time of a folder changes when an entry comes or goes.
    lines.push(`${path} ${facts.ino} ${facts.size} ${facts.mtimeMs}`);
    if (facts.isDirectory()) lines.push(await fingerprint(path, except));
  }
  return lines.join('\n');
}

interface Site {
  readonly stores: Readonly<Record<string, Store> & { readonly fs: Store }>;
  readonly plant: () => Promise<void>;
  readonly outside: () => Promise<string>;
  readonly close: () => Promise<void>;
}

/** Stores in memory, in a bucket, and in a directory beside a secret that a planted link inside points at. */
async function makeSite(): Promise<Site> {
  const parent = await mkdtemp(join(tmpdir(), 'lode-r24-'));
  const root = join(parent, 'root');
  const secret = join(parent, 'secret');
  for (const directory of [root, secret, join(root, 'part')]) await mkdir(directory);
  await writeFile(join(secret, 'file'), 'secret');
  const link = join(root, 'planted');
  const fs = fsStore(root, { durability: 'none' });
  const double = await s3Double();
  const { bucket, endpoint, credentials } = double;
  const s3 = s3Store({ bucket, endpoint, credentials, conditions: 'assume' });
  return {
    stores: {
      memory: memoryStore(),
      fs,
      'fs below a prefix': withPrefix(fs, 'part'),
      s3,
      's3 below a prefix': withPrefix(s3, 'part'),
    },
    async plant() {
      await rm(link, { recursive: true, force: true });
      await symlink(secret, link);
    },
    outside: () => fingerprint(parent, root),
    async close() {
      await s3.close();
      await double.close();
      await rm(parent, { recursive: true });
    },
  };
}

/** What a store does with one key at every entry point against what it must do. */
async function judge(name: string, store: Store, hostile: HostileKey): Promise<string[]> {
  const expected = verdictOf(hostile, store.capabilities);
  const wrong: string[] = [];
  for (const [entry, call] of Object.entries(entries)) {
    const outcome = await outcomeOf(call(store, hostile.key));
    // A prefix may be the beginning of a name that is no key itself.
    const fine = outcome === expected || (entry === 'list' && outcome === 'round-trip');
    if (!fine) {
      wrong.push(`${name} ${entry} ${JSON.stringify(hostile.key.slice(0, 80))}: ${outcome}`);
    }
  }
  return wrong;
}

/** Attempts to get at the secret through a planted link; answers those that did. */
async function throughLink({ stores, plant, outside }: Site): Promise<string[]> {
  const { fs } = stores;
  const below = withPrefix(fs, 'planted');
  const attempts: [string, Store][] = [
    ...['planted', 'planted/file', 'planted/new', 'planted/deep/new'].map(
      (key): [string, Store] => [key, fs],
    ),
    ...['file', 'new', 'deep/new'].map((key): [string, Store] => [key, below]),
  ];
  const found: string[] = [];
  const before = await outside();
  for (const [key, store] of attempts) {
    for (const [entry, call] of Object.entries(entries)) {
      await plant();
      const result = await call(store, key).catch(() => undefined);
      if (result instanceof Uint8Array) found.push(`${entry} ${key} read something`);
      if ((await outside()) !== before) found.push(`${entry} ${key} changed something`);
    }
  }
  await plant();
  for (const [store, name] of [
    [fs, 'the root'],
    [below, 'the link'],
  ] as const) {
    const shown = keysIn(store).catch((error: unknown) => {
      // Refusing to look is as good as seeing nothing.
      if (isLodeError(error)) return [];
      throw error;
    });
    for (const key of await shown) found.push(`a listing of ${name} shows ${key}`);
  }
  return found;
}

async function keysIn(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return keys;
}

export const bar: Bar = {
  id: 'R24',
  title: 'hostile keys: one verdict, and nothing outside the root',
  async run({ log }) {
    const site = await makeSite();
    const { stores, outside, close } = site;
    try {
      const before = await outside();
      const wrong: string[] = [];
      let calls = 0;
      for (const hostile of hostileKeys) {
        for (const [name, store] of Object.entries(stores)) {
          wrong.push(...(await judge(name, store, hostile)));
          calls += Object.keys(entries).length;
        }
      }
      const leaks = await throughLink(site);
      if ((await outside()) !== before) leaks.push('something outside the root changed');
      for (const line of [...wrong, ...leaks].slice(0, 40)) log(line);
      const pass = wrong.length === 0 && leaks.length === 0 && hostileKeys.length >= 300;
      return {
        outcome: pass ? 'pass' : 'fail',
        figure:
          `${hostileKeys.length} keys (bar 300), ${calls} calls, ${wrong.length} other verdicts, ` +
          `${leaks.length} outside the root`,
      };
    } finally {
      await close();
    }
  },
};
