/** What was accepted and is not decided yet: bounded, so that a caller who never waits is told, and not the machine. */
import { LodeError } from '../../errors.ts';
import type { Group } from './group.ts';

/** What a record that waits takes besides its bytes, roughly: promises, and a journal's notes of its event. */
const recordCostBytes = 1024;

export class Backlog {
  readonly #bytesMax: number;
  readonly #dir: string;
  bytes = 0;

  constructor(bytesMax: number, dir: string) {
    this.#bytesMax = bytesMax;
    this.#dir = dir;
  }

  /** One record always fits. */
  get isFull(): boolean {
    return this.bytes > 0 && this.bytes >= this.#bytesMax;
  }

  assertRoom(): void {
    if (!this.isFull) return;
    throw new LodeError('LODE_NOT_READY', 'too much waits to become durable', {
      key: this.#dir,
      field: 'pendingBytesMax',
      expected: this.#bytesMax,
      actual: this.bytes,
    });
  }

  add(group: Group, recordBytes: number): void {
    group.pendingBytes += recordBytes + recordCostBytes;
    this.bytes += recordBytes + recordCostBytes;
  }

  /** A group is decided once. */
  remove(group: Group): void {
    this.bytes -= group.pendingBytes;
  }
}
