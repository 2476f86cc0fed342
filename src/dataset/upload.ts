/**
 * Data files on their way into the store: compressed, then hashed, then put under a key that only this writer uses.
 *
 * Memory is bounded: content that is small is put whole, the rest streams with back-pressure. A put that got no answer
 * is settled by asking again, or, for a stream that cannot be replayed, by looking whether the whole object is there.
 */
import { byteSource, concat } from '../bytes/index.ts';
import type { ByteSource } from '../bytes/index.ts';
import { digestOf } from '../encoding/checksum.ts';
import type { Checksum, Hasher } from '../encoding/checksum.ts';
import type { Compressor } from '../encoding/compressor.ts';
import { isLodeError, LodeError } from '../errors.ts';
import { mayHaveLanded, putDefinitely, sameBytes } from '../history/index.ts';
import type { Operation } from '../history/index.ts';
import type { PutOptions } from '../store/index.ts';

export interface Components {
  readonly compressor: Compressor;
  readonly checksum: Checksum | undefined;
}

export interface Uploaded {
  readonly path: string;
  readonly sizeBytes: number;
  readonly checksum?: string;
}

const noOptions = (): PutOptions => ({});

/** Content that is in memory whole. */
export async function uploadBytes(
  op: Operation,
  path: string,
  content: Uint8Array,
  { compressor, checksum }: Components,
): Promise<Uploaded> {
  const compressed =
    compressor.compressAll?.(content) ?? (await compressWhole(compressor, content));
  const body = compressed instanceof Promise ? await compressed : compressed;
  const digest = checksum === undefined ? undefined : digestOf(checksum, body);
  const result = await putDefinitely(op, {
    key: path,
    body,
    options: noOptions,
    landed: sameBytes(op, path, body),
  });
  if (result.outcome === 'conflict') throw taken(path);
  return uploaded(path, body.length, digest);
}

/** Content that comes as it is made. `open` starts it; it is called again when the source can be replayed. */
export async function uploadStream(
  op: Operation,
  path: string,
  open: () => AsyncIterable<Uint8Array>,
  replayable: boolean,
  { compressor, checksum }: Components,
): Promise<Uploaded> {
  let sizeBytes = 0;
  let hasher: Hasher | undefined;
  let isWhole = false;
  const body: ByteSource = {
    size: undefined,
    replayable,
    stream: () => {
      sizeBytes = 0;
      isWhole = false;
      hasher = checksum?.hasher();
      return measured(compressor.compress(open()));
    },
  };
  async function* measured(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      sizeBytes += chunk.length;
      hasher?.update(chunk);
      yield chunk;
    }
    isWhole = true;
  }
  try {
    const result = await op.store.put(path, body, { signal: op.signal });
    if (result.outcome === 'conflict') throw taken(path);
  } catch (error) {
    if (op.signal?.aborted || !mayHaveLanded(error)) throw error;
    // What a store left open it settles itself; until then, what is found there need not be there to stay.
    if (isLodeError(error, 'LODE_WRITE_UNCERTAIN')) {
      const settled = await error.details.resolve().catch(() => 'open');
      if (settled !== 'landed') throw error;
    }
    // A put is whole or not at all: the object is ours, complete, if it is there with every byte that was sent.
    const info = await op.store.head(path, { signal: op.signal }).catch(() => undefined);
    if (info?.size !== sizeBytes || sizeBytes === 0 || !isWhole) throw error;
  }
  if (!isWhole) {
    throw new LodeError('LODE_UNAVAILABLE', 'the store answered before it had read everything', {
      key: path,
    });
  }
  return uploaded(path, sizeBytes, hasher?.digest());
}

async function compressWhole(compressor: Compressor, content: Uint8Array): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of compressor.compress(byteSource(content).stream())) chunks.push(chunk);
  return concat(chunks);
}

function uploaded(path: string, sizeBytes: number, checksum: string | undefined): Uploaded {
  return checksum === undefined ? { path, sizeBytes } : { path, sizeBytes, checksum };
}

/** Never deleted by us: what is there belongs to somebody else (E-3). */
function taken(key: string): LodeError {
  return new LodeError('LODE_ALREADY_EXISTS', 'another writer drew the same snapshot id', {
    key,
    next: 'Write again: it will draw a fresh id.',
  });
}
