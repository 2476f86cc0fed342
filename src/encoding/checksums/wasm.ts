/**
 * Hashes from WebAssembly, loaded at the first need.
 *
 * Making an instance takes a promise, using one does not. So there is one instance an algorithm, and running hashes
 * take turns in it: whoever comes next saves the state of the one before and loads its own.
 */
import type { IHasher } from 'hash-wasm';
import { LodeError } from '../../errors.ts';
import type { Hasher } from '../checksum.ts';

export type WasmAlgorithm = 'md5' | 'sha256' | 'blake3' | 'xxh64';

const shared = new Map<WasmAlgorithm, SharedHash>();

/** Resolves once `wasmHasher` and `wasmHash` work for the algorithm. */
export async function readyWasmHash(algorithm: WasmAlgorithm): Promise<void> {
  if (shared.has(algorithm)) return;
  const { createBLAKE3, createMD5, createSHA256, createXXHash64 } = await import('hash-wasm');
  const create = {
    md5: createMD5,
    sha256: createSHA256,
    blake3: createBLAKE3,
    xxh64: createXXHash64,
  };
  const instance = await create[algorithm]();
  // Another call may have been faster; running hashes may be in its instance.
  if (!shared.has(algorithm)) shared.set(algorithm, new SharedHash(instance));
}

export function wasmHasher(algorithm: WasmAlgorithm): Hasher {
  return sharedHash(algorithm).start();
}

export function wasmHash(algorithm: WasmAlgorithm, bytes: Uint8Array): string {
  const hasher = wasmHasher(algorithm);
  hasher.update(bytes);
  return hasher.digest();
}

function sharedHash(algorithm: WasmAlgorithm): SharedHash {
  const found = shared.get(algorithm);
  if (found !== undefined) return found;
  throw new LodeError('LODE_INVALID_ARGUMENT', 'a checksum was used before it was ready', {
    actual: algorithm,
    next: 'Await ready() of the checksum first.',
  });
}

interface Turn {
  /** Present while another hash has its turn. */
  state: Uint8Array | undefined;
}

class SharedHash {
  readonly #instance: IHasher;
  #current: Turn | undefined;

  constructor(instance: IHasher) {
    this.#instance = instance;
  }

  start(): Hasher {
    const mine: Turn = { state: undefined };
    this.#leave();
    this.#instance.init();
    this.#current = mine;
    return {
      update: (bytes) => {
        this.#enter(mine);
        this.#instance.update(bytes);
      },
      digest: () => {
        this.#enter(mine);
        this.#current = undefined;
        return this.#instance.digest('hex');
      },
    };
  }

  #enter(mine: Turn): void {
    if (this.#current === mine) return;
    if (mine.state === undefined) {
      throw new LodeError(
        'LODE_INVALID_ARGUMENT',
        'this checksum has given its digest already',
        {},
      );
    }
    this.#leave();
    this.#instance.load(mine.state);
    mine.state = undefined;
    this.#current = mine;
  }

  #leave(): void {
    if (this.#current !== undefined) this.#current.state = this.#instance.save();
    this.#current = undefined;
  }
}
