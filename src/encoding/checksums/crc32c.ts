/**
 * CRC-32C (Castagnoli), eight bytes a step.
 *
 * The tables (8 KiB) are made at the first use: importing costs nothing.
 */

/** The polynomial 0x1EDC6F41, bits reversed. */
const polynomial = 0x82f6_3b78;

let tables: Int32Array | undefined;

/** The CRC of what came before, if anything, followed by `bytes`, or by those from `start` up to `end`. */
export function crc32c(
  bytes: Uint8Array,
  before = 0,
  start = 0,
  end: number = bytes.length,
): number {
  const t = (tables ??= makeTables());
  const whole = end - ((end - start) % 8);
  let crc = ~before;
  let i = start;
  // Indices are in range by construction; the assertions only tell the compiler so.
  for (; i < whole; i += 8) {
    const low =
      crc ^
      ((bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24));
    crc =
      (t[1792 + (low & 0xff)] as number) ^
      (t[1536 + ((low >>> 8) & 0xff)] as number) ^
      (t[1280 + ((low >>> 16) & 0xff)] as number) ^
      (t[1024 + (low >>> 24)] as number) ^
      (t[768 + (bytes[i + 4] as number)] as number) ^
      (t[512 + (bytes[i + 5] as number)] as number) ^
      (t[256 + (bytes[i + 6] as number)] as number) ^
      (t[bytes[i + 7] as number] as number);
  }
  for (; i < end; i++) {
    crc = (t[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** Table k gives the effect of a byte that k more bytes follow. */
function makeTables(): Int32Array {
  const made = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? polynomial : 0);
    made[byte] = crc;
  }
  for (let i = 256; i < made.length; i++) {
    const shorter = made[i - 256] as number;
    made[i] = (shorter >>> 8) ^ (made[shorter & 0xff] as number);
  }
  return made;
}
