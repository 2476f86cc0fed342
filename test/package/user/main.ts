/** A user's program, compiled as strictly as TypeScript can against the packed package (see user.test.ts). */
import { isLodeError, memoryStore, type LodeErrorCode, type Store } from 'lode';

const store: Store = memoryStore();

export async function firstBytes(key: string, signal?: AbortSignal): Promise<Uint8Array> {
  const stored = await store.get(key, { range: { offset: 0, length: 4 }, signal });
  if (stored === undefined) return new Uint8Array();
  return stored.bytes();
}

export async function replace(key: string, text: string): Promise<LodeErrorCode | 'lost' | 'won'> {
  try {
    const info = await store.head(key);
    const mode = info === undefined ? 'create' : { ifMatch: info.etag };
    const { outcome } = await store.put(key, text, { mode });
    return outcome === 'stored' ? 'won' : 'lost';
  } catch (error) {
    if (isLodeError(error)) return error.code;
    throw error;
  }
}
