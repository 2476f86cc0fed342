/** Watches a decompression: how much went in, how much came out, and whether that is a bomb. */
import { LodeError } from '../../errors.ts';
import type { DecompressLimits } from '../compressor.ts';

/** A little that expands a lot is harmless: the ratio counts from here on. */
const ratioFreeBytes = 1_048_576;

export type Place = DecompressLimits & { readonly key: string };

export class Gauge {
  readonly #place: Place;
  #input = 0;
  #output = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  get input(): number {
    return this.#input;
  }

  /** How much more may come out, given what went in. */
  get room(): number {
    const { bytesMax, ratioMax } = this.#place;
    return Math.min(bytesMax, Math.max(ratioFreeBytes, this.#input * ratioMax)) - this.#output;
  }

  async *counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      if (chunk.length === 0) continue;
      this.#input += chunk.length;
      yield chunk;
    }
  }

  /** Counts bytes that came out; throws when they are too many. */
  out(count: number): void {
    if (count > this.room) throw this.#bomb(this.#output + count);
    this.#output += count;
  }

  #bomb(actual: number): LodeError {
    const { key, bytesMax, ratioMax } = this.#place;
    const details = { key, offset: this.#input };
    return actual > bytesMax
      ? new LodeError('LODE_LIMIT_EXCEEDED', 'content is larger than the limit once decompressed', {
          ...details,
          expected: bytesMax,
          actual,
        })
      : new LodeError('LODE_LIMIT_EXCEEDED', 'content expands by more than the limit', {
          ...details,
          expected: ratioMax,
          actual: Math.ceil(actual / Math.max(1, this.#input)),
        });
  }
}
