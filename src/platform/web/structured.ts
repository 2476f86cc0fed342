/** Structured clone as bytes: browsers clone values, but do not show the bytes. */

interface StructuredBytes {
  serialize(this: void, value: unknown): Uint8Array;
  deserialize(this: void, bytes: Uint8Array): unknown;
}

export function structuredBytes(): StructuredBytes | undefined {
  return undefined;
}
