/** A part of the log as it is exported: a whole segment, sealed, made in memory. */
import { crc32c } from '../../encoding/checksums/crc32c.ts';
import { FrameWriter } from '../wal/frame-writer.ts';
import { recordKinds } from '../wal/record.ts';
import { sealBytes } from '../wal/recover.ts';
import { headerOf } from '../wal/segment-writer.ts';
import type { WalRecord } from '../wal/types.ts';
import type { Part } from './parts.ts';

/** About so much is one part. */
const partBytes = 16 * 1024 * 1024;

export class LogPart {
  readonly #before: Part;
  readonly #logNumber: number;
  readonly #bytes: Uint8Array[] = [];
  #running: number;
  #position = 0;
  #last: WalRecord;

  /** Goes on where `before` ends. */
  constructor(before: Part, first: WalRecord) {
    this.#before = before;
    this.#logNumber = before.logNumber + 1;
    this.#running = before.running;
    this.#last = first;
    this.#push(
      headerOf({
        logNumber: this.#logNumber,
        journalId: before.id,
        epoch: 1,
        firstLsn: first.lsn,
        previousRunning: before.running,
        restarts: false,
        timeMs: first.timeMs,
      }),
    );
    this.add(first);
  }

  get isFull(): boolean {
    return this.#position >= partBytes;
  }

  add(record: WalRecord): void {
    const [logNumber, position, running] = [this.#logNumber, this.#position, this.#running];
    const writer = new FrameWriter({ logNumber, position, running });
    const timeDelta = record.timeMs - this.#last.timeMs;
    const { lsn, bytes } = record;
    writer.add({ kind: recordKinds.data, lsn, index: 0, timeDelta }, [bytes]);
    this.#push(writer.take());
    this.#last = record;
  }

  seal(): { readonly part: Part; readonly bytes: readonly Uint8Array[] } {
    const { lsn, timeMs, bytes } = this.#last;
    const [logNumber, running] = [this.#logNumber, this.#running];
    const { id, lsn: before } = this.#before;
    const last = { lastCrc: crc32c(bytes), lastTime: timeMs };
    const part: Part = { kind: 'log', id, first: before + 1, lsn, logNumber, running, ...last };
    this.#bytes.push(sealBytes(logNumber, this.#position, running, lsn).bytes);
    return { part, bytes: this.#bytes };
  }

  #push({ bytes, running }: { readonly bytes: Uint8Array; readonly running: number }): void {
    this.#bytes.push(bytes);
    this.#position += bytes.length;
    this.#running = running;
  }
}
