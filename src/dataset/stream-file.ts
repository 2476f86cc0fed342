/**
 * A data file that is written while it is made: bytes pushed in, pulled by the store at its own pace.
 *
 * Nothing is asked of the store before the first bytes come; a file that fits in one chunk is put in one piece.
 */
import { bytePipe } from '../bytes/index.ts';
import type { BytePipe } from '../bytes/index.ts';
import { isLodeError, LodeError } from '../errors.ts';
import type { Operation } from '../history/index.ts';
import { uploadBytes, uploadStream } from './upload.ts';
import type { Components, Uploaded } from './upload.ts';

/** Chunks up to this size are held back once, in case they are the whole file. */
const heldBytesMax = 256 * 1024;

export class StreamFile {
  readonly path: string;
  readonly #op: Operation;
  readonly #components: Components;
  #held: Uint8Array | undefined;
  #pipe: BytePipe | undefined;
  #upload: Promise<Uploaded> | undefined;
  #isOurs = true;

  constructor(op: Operation, path: string, components: Components) {
    this.path = path;
    this.#op = op;
    this.#components = components;
  }

  /** False once another writer's object was found under `path`: it must not be deleted. */
  get isOurs(): boolean {
    return this.#isOurs;
  }

  /** Resolves when the store is ready for more; rejects as soon as the store has given up. */
  async write(chunk: Uint8Array): Promise<void> {
    this.#op.signal?.throwIfAborted();
    if (chunk.length === 0) return;
    if (this.#pipe === undefined) {
      if (this.#held === undefined && chunk.length <= heldBytesMax) {
        this.#held = chunk;
        return;
      }
      this.#start();
    }
    await this.#flushHeld();
    await this.#pipe?.write(chunk);
  }

  async finish(): Promise<Uploaded> {
    if (this.#pipe === undefined) {
      this.#upload = uploadBytes(
        this.#op,
        this.path,
        this.#held ?? new Uint8Array(0),
        this.#components,
      );
      return this.#upload;
    }
    await this.#flushHeld();
    await this.#pipe.end();
    return this.#upload as Promise<Uploaded>;
  }

  /** Stops the upload; the object does not come to be. Resolves when the store is done with it. */
  async abort(): Promise<void> {
    this.#held = undefined;
    this.#pipe?.fail(new LodeError('LODE_CLOSED', 'the stream was aborted', { key: this.path }));
    await this.#upload?.catch(() => {});
  }

  #start(): void {
    const pipe = bytePipe();
    this.#pipe = pipe;
    this.#upload = uploadStream(
      this.#op,
      this.path,
      () => pipe.source.stream(),
      false,
      this.#components,
    );
    // A store that stops reading must fail the writer at once, not leave it waiting (E-11).
    this.#upload.then(
      () =>
        pipe.readerGone(
          new LodeError('LODE_CLOSED', 'the store stopped reading', { key: this.path }),
        ),
      (error: unknown) => {
        if (isLodeError(error, 'LODE_ALREADY_EXISTS')) this.#isOurs = false;
        pipe.readerGone(error as Error);
      },
    );
  }

  async #flushHeld(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) await this.#pipe?.write(held);
  }
}
