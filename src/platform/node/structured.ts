/** Structured clone as bytes: what `v8.serialize` makes of a value. */

interface StructuredBytes {
  serialize(this: void, value: unknown): Uint8Array;
  /** @param bytes  Owned by the value from now on: typed arrays in it may be views of them. */
  deserialize(this: void, bytes: Uint8Array): unknown;
}

/** Undefined where the platform shows no bytes. */
export function structuredBytes(): StructuredBytes | undefined {
  return process.getBuiltinModule('node:v8');
}
