/** The checksum port: a digest over the stored bytes of each data file, recorded in the manifest. */

/** One running digest. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Lower-case hex. The last call. */
  digest(): string;
}

export interface Checksum {
  /** Recorded in the manifest, and looked up by it at read: `md5`, `sha256`, `crc32c`, `blake3`, or a name of your own. */
  readonly name: string;
  /** Resolves once the algorithm is ready; built-in algorithms are ready at once. */
  readonly ready?: () => Promise<void>;
  hasher(): Hasher;
  /** Optional: the same for content that is in memory whole. */
  hash?(bytes: Uint8Array): string;
}

/** The digest of content that is in memory whole. */
export function digestOf(checksum: Checksum, bytes: Uint8Array): string {
  if (checksum.hash !== undefined) return checksum.hash(bytes);
  const hasher = checksum.hasher();
  hasher.update(bytes);
  return hasher.digest();
}
