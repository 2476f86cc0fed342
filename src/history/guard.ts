/**
 * What runs under the pointer's lock, just before the pointer shows. It may run again when the answer to the put was
 * lost: the manifests are written once, and a pointer that has moved since is left alone.
 */
import { utf8Encode } from '../bytes/index.ts';
import { LodeError } from '../errors.ts';
import type { PutMode } from '../store/store.ts';

/** A commit whose manifests are in place. */
export interface Written<M> {
  readonly manifest: M;
  /** The condition under which the pointer is still the one this commit was built on. */
  readonly mode: PutMode;
}

export class PublishGuard<M extends { readonly snapshotId: string }> {
  readonly #write: () => Promise<Written<M>>;
  readonly #pointerIs: (mode: PutMode) => Promise<boolean>;
  readonly #assertDataIsThere: (() => Promise<void>) | undefined;
  #written: Written<M> | undefined;
  #refusal: { readonly error: unknown } | undefined;
  #moved = false;
  #settled = false;

  constructor(
    write: () => Promise<Written<M>>,
    pointerIs: (mode: PutMode) => Promise<boolean>,
    assertDataIsThere: (() => Promise<void>) | undefined,
  ) {
    this.#write = write;
    this.#pointerIs = pointerIs;
    this.#assertDataIsThere = assertDataIsThere;
  }

  get written(): Written<M> | undefined {
    return this.#written;
  }

  /** Why the manifests could not be written; nothing was published then. */
  get refusal(): { readonly error: unknown } | undefined {
    return this.#refusal;
  }

  /** Between a lost answer and the next attempt the pointer moved: by our own put, or by somebody else's. */
  get moved(): boolean {
    return this.#moved;
  }

  /** The outcome is known: a put that was given up for lost must not publish behind our back. */
  settle(): void {
    this.#settled = true;
  }

  /** Throws once the outcome is known: nothing may be written any more that refers to the data. */
  assertOpen(): void {
    if (this.#settled) throw stopped('this commit has been settled');
  }

  readonly run = async (): Promise<Uint8Array> => {
    this.assertOpen();
    const { snapshotId } =
      this.#written === undefined ? await this.#first() : await this.#again(this.#written);
    return utf8Encode(snapshotId);
  };

  async #first(): Promise<M> {
    try {
      const written = await this.#write();
      this.assertOpen();
      this.#written = written;
      return written.manifest;
    } catch (error) {
      this.#refusal = { error };
      throw stopped('the commit stops before it is published', error);
    }
  }

  async #again({ manifest, mode }: Written<M>): Promise<M> {
    this.#moved = !(await this.#pointerIs(mode));
    if (this.#moved) throw stopped('the pointer has moved');
    // A collector that had listed the manifests before ours came knows only what the pointer names.
    await this.#assertDataIsThere?.();
    return manifest;
  }
}

function stopped(what: string, cause?: unknown): LodeError {
  return new LodeError('LODE_CLOSED', what, {}, { cause });
}
