/** Hashes of the platform. Browsers only hash what is whole, and later: there are none to offer here. */

export type NativeAlgorithm = 'md5' | 'sha256';

interface NativeHasher {
  update(bytes: Uint8Array): void;
  /** Lower-case hex. */
  digest(): string;
}

/** A running hash; `undefined` where the platform has none that answers at once. */
export const nativeHasher: ((algorithm: NativeAlgorithm) => NativeHasher) | undefined = undefined;

/** The same in one call, for bytes that are in memory. */
export const nativeHash: ((algorithm: NativeAlgorithm, bytes: Uint8Array) => string) | undefined =
  undefined;
