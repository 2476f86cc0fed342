/** File content on its way through a power loss: bytes with a fingerprint, and the fates a single write may meet. */
import type { DiskEvent } from '../../disk/image.ts';

export interface Content {
  readonly bytes: Uint8Array;
  readonly fingerprint: number;
}

export type DataEvent = Extract<DiskEvent, { kind: 'write' | 'truncate' }>;

/**
 * What became of one change that was not synced. A number: only so many leading bytes of the write arrived. `zeros`,
 * `garbage`: the file grew, its new bytes did not arrive. `target`: of a rename between directories, the new name
 * arrived and the old one is still there.
 */
export type Fate = 'none' | 'full' | 'zeros' | 'garbage' | 'target' | number;

export const emptyContent: Content = contentOf(new Uint8Array(0));

export function contentOf(bytes: Uint8Array): Content {
  return { bytes, fingerprint: fingerprintOf(bytes) };
}

/** The content after a change that met the given fate. */
export function applyData(content: Content, event: DataEvent, fate: Fate): Content {
  if (fate === 'none') return content;
  const old = content.bytes;
  if (event.kind === 'truncate') {
    const bytes = new Uint8Array(event.size);
    bytes.set(old.subarray(0, event.size));
    return contentOf(bytes);
  }
  const arrived = typeof fate === 'number' ? fate : fate === 'full' ? event.bytes.length : 0;
  const grows = fate === 'zeros' || fate === 'garbage';
  const end = event.position + (grows ? event.bytes.length : arrived);
  const bytes = new Uint8Array(Math.max(old.length, end));
  bytes.set(old);
  bytes.set(event.bytes.subarray(0, arrived), event.position);
  if (fate === 'garbage') {
    // Any bytes that no writer wrote will do; they differ from each other so that shifts show.
    for (let i = Math.max(old.length, event.position); i < end; i++) bytes[i] = 0xa5 ^ (i & 0xff);
  }
  return contentOf(bytes);
}

/** 53 bits that differ when bytes do. */
function fingerprintOf(bytes: Uint8Array): number {
  let high = 0x12345 ^ bytes.length;
  let low = 0x6789a;
  for (const byte of bytes) {
    high = Math.imul(high ^ byte, 0x85ebca6b);
    low = Math.imul(low ^ byte, 0x9e3779b1);
    low ^= low >>> 15;
  }
  return combine(high, low);
}

export function fingerprintOfName(name: string): number {
  let high = 0x1b873593;
  let low = 0xcc9e2d51 ^ name.length;
  for (let i = 0; i < name.length; i++) {
    high = Math.imul(high ^ name.charCodeAt(i), 0x85ebca6b);
    low = Math.imul(low ^ name.charCodeAt(i), 0x9e3779b1);
    low ^= low >>> 15;
  }
  return combine(high, low);
}

/** Folds two fingerprints into one; the order matters. */
export function mix(left: number, right: number): number {
  const a = Math.imul(((left % 0x100000000) | 0) ^ 0x27d4eb2f, 0x85ebca6b) ^ (right / 0x100000000);
  const b = Math.imul((right | 0) ^ (a >>> 13), 0x9e3779b1) ^ (left / 0x100000000);
  return combine(Math.imul(a ^ (b >>> 16), 0xc2b2ae35), b ^ (a >>> 15));
}

function combine(high: number, low: number): number {
  return (high & 0x1fffff) * 0x100000000 + (low >>> 0);
}
