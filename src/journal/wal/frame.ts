/**
 * Frames: the units of a log file that carry a checksum, as in RocksDB's recyclable log records (docs/formats/journal.md,
 * section 2). A file is a row of pages; a frame never crosses the end of one, a record may take several.
 *
 * The log number of the file is part of every checksum, so bytes of another file, or of an earlier use of the same blocks,
 * never verify.
 */
import { crc32c } from '../../encoding/checksums/crc32c.ts';

export const pageBytes = 32_768;
/** Checksum (4), length (2), type (1), log number (4). What is left of a page and shorter than this is zeros. */
export const frameHeaderBytes = 11;

export const frameTypes = { full: 5, first: 6, middle: 7, last: 8 } as const;

/** The checksum of frames of one log number, as it is stored. */
export class FrameChecksums {
  readonly logNumber: number;
  /** CRCs of the type and the log number, by type: what each frame's checksum starts from. */
  readonly #salts: readonly number[];

  constructor(logNumber: number) {
    this.logNumber = logNumber;
    const salt = new Uint8Array(5);
    new DataView(salt.buffer).setUint32(1, logNumber, true);
    this.#salts = Array.from({ length: frameTypes.last + 1 }, (_, type) => {
      salt[0] = type;
      return crc32c(salt);
    });
  }

  /** @param start,end  Where the payload is in `bytes`. */
  of(type: number, bytes: Uint8Array, start: number, end: number): number {
    return maskCrc32c(crc32c(bytes, this.#salts[type] ?? 0, start, end));
  }
}

const maskDelta = 0xa282_ead8;

/** What is stored of a CRC, so that data which itself holds CRCs does not weaken the next one. */
export function maskCrc32c(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + maskDelta) >>> 0;
}

export function unmaskCrc32c(masked: number): number {
  const turned = (masked - maskDelta) >>> 0;
  return ((turned << 15) | (turned >>> 17)) >>> 0;
}
