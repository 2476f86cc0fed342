/** CRC-32 as gzip and Parquet pages use it, eight bytes a step. */

const tables: readonly Uint32Array[] = build();

function build(): Uint32Array[] {
  const first = new Uint32Array(256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    first[n] = c;
  }
  const all = [first];
  for (let t = 1; t < 8; t++) {
    const previous = all[t - 1] ?? first;
    all.push(previous.map((c) => (first[c & 0xff] ?? 0) ^ (c >>> 8)));
  }
  return all;
}

/** The checksum as an unsigned 32-bit number; of several parts when each call is given what the one before returned. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const of = (table: Uint32Array, index: number): number => table[index & 0xff] as number;
  let crc = ~before;
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) {
    const low = crc ^ view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    crc =
      of(t7, low) ^
      of(t6, low >>> 8) ^
      of(t5, low >>> 16) ^
      of(t4, low >>> 24) ^
      of(t3, high) ^
      of(t2, high >>> 8) ^
      of(t1, high >>> 16) ^
      of(t0, high >>> 24);
  }
  for (; at < bytes.length; at++) crc = of(t0, crc ^ (bytes[at] as number)) ^ (crc >>> 8);
  return ~crc >>> 0;
}
