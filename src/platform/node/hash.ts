/**
 * Hashes of the platform. Node has them built in, ready at once; loading them is a tenth of Node's own start, so that waits
 * for the first hash.
 */
let loaded: typeof import('node:crypto') | undefined;

function crypto(): typeof import('node:crypto') {
  loaded ??= process.getBuiltinModule('node:crypto');
  return loaded;
}

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
  const running = crypto().createHash(algorithm);
  return {
    update: (bytes) => void running.update(bytes),
    digest: () => running.digest('hex'),
  };
};

/** The same in one call, for bytes that are in memory. */
export const nativeHash: ((algorithm: NativeAlgorithm, bytes: Uint8Array) => string) | undefined = (
  algorithm,
  bytes,
) => {
  const { createHash, hash } = crypto();
  if (typeof hash === 'function') return hash(algorithm, bytes, 'hex');
  return createHash(algorithm).update(bytes).digest('hex');
};
