/**
 * The seal: an optional last member `manifest_checksum` that covers every byte of a manifest.
 *
 *     …,\n  "manifest_checksum": "crc32c:xxxxxxxx"\n}
 *
 * The digest is over all bytes before the comma; the tail from the comma on has one form only, so each of its bytes is
 * known too. Go ignores the member. A tail that is nearly this form is a damaged seal and never "no seal": the damage
 * may sit in the member's own name, or have turned its comma into the brace that ends the value.
 */
import { utf8Encode } from '../bytes/index.ts';
import { crc32c, hex32 } from '../encoding/checksums/crc32c.ts';
import { LodeError } from '../errors.ts';

const sealMember = 'manifest_checksum';
const before = `,\n  "${sealMember}": "crc32c:`;
const after = '"\n}';
const digits = 8;
const hex = '0123456789abcdef';
const tailBytes = before.length + digits + after.length;
const template = utf8Encode(before + '\0'.repeat(digits) + after);
/** A tail that differs from the form in at most this many bytes was written as a seal. */
const damagedBytesMax = 12;

/** Seals text that lacks only its final newline and brace. */
export function sealed(text: string): Uint8Array {
  const bytes = utf8Encode(text + before + '0'.repeat(digits) + after);
  const covered = bytes.length - tailBytes;
  const crc = crc32c(bytes, 0, 0, covered);
  const at = covered + before.length;
  for (let i = 0; i < digits; i++) bytes[at + i] = hex.charCodeAt((crc >>> (28 - i * 4)) & 15);
  return bytes;
}

/** The seal, verified, as `crc32c:` and digits; `undefined` when there is none; throws `LODE_CHECKSUM_MISMATCH`. */
export function verifySeal(bytes: Uint8Array, key: string): string | undefined {
  const covered = bytes.length - tailBytes;
  if (covered < 0) return undefined;
  const tail = bytes.subarray(covered);
  const differing = differences(tail);
  if (differing > damagedBytesMax) return undefined;
  const expected = String.fromCharCode(...tail.subarray(before.length, before.length + digits));
  const actual = hex32(crc32c(bytes, 0, 0, covered));
  if (differing > 0 || actual !== expected) throw brokenSeal(key, expected, actual);
  return `crc32c:${actual}`;
}

export function brokenSeal(key: string, expected: string, actual: string): LodeError {
  return new LodeError('LODE_CHECKSUM_MISMATCH', 'a manifest is not the one that was written', {
    key,
    field: sealMember,
    expected,
    actual,
  });
}

function differences(tail: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < template.length; i++) {
    if (template[i] !== 0 && tail[i] !== template[i]) count++;
  }
  return count;
}
