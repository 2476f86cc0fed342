/** Hashes of the platform. Node has them built in, ready at once. */
import { createHash, hash } from 'node:crypto';

export type NativeAlgorithm = 'md5' | 'sha256';

interface NativeHasher {
  update(bytes: Uint8Array): void;
  /** Lower-case hex. */
  digest(): string;
}

/** A running hash; `undefined` where the platform has none that answers at once. */
export const nativeHasher: ((algorithm: NativeAlgorithm) => NativeHasher) | undefined = (
  algorithm,
) => {
  const running = createHash(algorithm);
  return {
    update: (bytes) => void running.update(bytes),
    digest: () => running.digest('hex'),
  };
};

/** The same in one call, for bytes that are in memory. */
export const nativeHash: ((algorithm: NativeAlgorithm, bytes: Uint8Array) => string) | undefined =
  typeof hash === 'function'
    ? (algorithm, bytes) => hash(algorithm, bytes, 'hex')
    : (algorithm, bytes) => createHash(algorithm).update(bytes).digest('hex');
