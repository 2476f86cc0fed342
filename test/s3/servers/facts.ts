/** What one server does where servers differ. Each fact is found out by trying it, on a prefix of its own. */
import { isLodeError } from '../../../src/index.ts';
import type { PutResult, Store } from '../../../src/index.ts';
import type { S3Store, S3StoreOptions } from '../../../src/s3.ts';

type Open = (options?: Partial<S3StoreOptions>) => S3Store;

export const facts: Readonly<Record<string, (open: Open) => Promise<string>>> = {
  'conditional writes': async (open) => {
    await using store = open({ conditions: 'probe' });
    return await said(store.put('probed', 'x'), 'honoured');
  },
  'conditional completion of uploads in parts': async (open) => {
    await using store = open({ partBytes: 5 << 20 });
    const large = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 11; i++) yield new Uint8Array(1 << 20).fill(7);
    };
    const begun = await said(store.put('first', large()));
    if (begun !== 'stored') return begun;
    const first = await store.put('large', large());
    const second = await store.put('large', large());
    const stale = await store.put('large', large(), { mode: { ifMatch: '"0"' as never } });
    const found = await store.head('large');
    const held =
      first.outcome === 'stored' &&
      second.outcome === 'conflict' &&
      stale.outcome === 'conflict' &&
      found?.etag === first.etag;
    return held ? 'honoured' : `${first.outcome}, ${second.outcome}, ${stale.outcome}`;
  },
  'key of 1,023 bytes': (open) => putOf(open, 1023),
  'key of 1,024 bytes': (open) => putOf(open, 1024),
  'key of 1,025 bytes': (open) => putOf(open, 1025),
  'part of a key of 255 bytes': (open) => onePut(open, `p/${'l'.repeat(255)}`),
  'part of a key of 256 bytes': (open) => onePut(open, `p/${'l'.repeat(256)}`),
  'a key below another': async (open) => {
    await using store = open();
    await store.put('up', 'above');
    return await said(store.put('up/down', 'below'));
  },
};

/** The store without prefix: the length is that of the whole key. */
async function putOf(open: Open, bytes: number): Promise<string> {
  await using store = open({ prefix: '' });
  const key = 'keys/'.padEnd(bytes, 'abcdefghijklmnopqrstuvwxyz0123/');
  const whole = key.endsWith('/') ? `${key.slice(0, -1)}x` : key;
  return await putGet(store, whole);
}

async function onePut(open: Open, key: string): Promise<string> {
  await using store = open();
  return await putGet(store, key);
}

async function putGet(store: Store, key: string): Promise<string> {
  const outcome = await said(store.put(key, 'x', { mode: 'overwrite' }));
  if (outcome !== 'stored') return outcome;
  const back = await (await store.get(key))?.bytes();
  await store.delete(key);
  return back?.length === 1 && back[0] === 0x78 ? 'stored' : 'damaged';
}

async function said(put: Promise<PutResult>, stored = 'stored'): Promise<string> {
  try {
    const { outcome } = await put;
    return outcome === 'stored' ? stored : outcome;
  } catch (error) {
    if (isLodeError(error)) return error.code;
    throw error;
  }
}
