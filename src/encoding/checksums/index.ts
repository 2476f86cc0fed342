/**
 * Checksums of stored bytes: lower-case hex, recorded in manifests, verified on read (docs/formats/dataset.md, section 6; E-16).
 *
 * Go writes and knows `md5`; it keeps the others and never looks at them. Against tampering choose `sha256` or
 * `blake3`; against accidents `crc32c` is the cheapest.
 */
import { nativeHash, nativeHasher } from '#platform/hash.js';
import type { NativeAlgorithm } from '#platform/hash.js';
import type { Checksum } from '../checksum.ts';
import { crc32c as crc32cOf, hex32 } from './crc32c.ts';
import { readyWasmHash, wasmHash, wasmHasher } from './wasm.ts';
import type { WasmAlgorithm } from './wasm.ts';

/** 32 hex digits; the one checksum Go writes. */
export function md5(): Checksum {
  return nativeOr('md5');
}

/** 64 hex digits. */
export function sha256(): Checksum {
  return nativeOr('sha256');
}

/** 64 hex digits. WebAssembly: await `ready()` before the first use. */
export function blake3(): Checksum {
  return fromWasm('blake3');
}

/** 8 hex digits, the value big-endian. */
export function crc32c(): Checksum {
  return {
    name: 'crc32c',
    hasher() {
      let crc = 0;
      return {
        update: (bytes) => void (crc = crc32cOf(bytes, crc)),
        digest: () => hex32(crc),
      };
    },
    hash: (bytes) => hex32(crc32cOf(bytes)),
  };
}

/** A built-in algorithm by the name that manifests give it. */
export function checksumNamed(name: string): Checksum | undefined {
  return [md5(), sha256(), crc32c(), blake3()].find((checksum) => checksum.name === name);
}

function nativeOr(name: NativeAlgorithm): Checksum {
  if (nativeHasher === undefined || nativeHash === undefined) return fromWasm(name);
  const [start, hash] = [nativeHasher, nativeHash];
  return { name, hasher: () => start(name), hash: (bytes) => hash(name, bytes) };
}

function fromWasm(name: WasmAlgorithm): Checksum {
  return {
    name,
    ready: () => readyWasmHash(name),
    hasher: () => wasmHasher(name),
    hash: (bytes) => wasmHash(name, bytes),
  };
}
