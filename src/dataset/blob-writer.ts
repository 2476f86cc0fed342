/** A raw object streamed into a snapshot: nothing is visible before `commit()`, and without it nothing stays. */
import { abortable, byteSource } from '../bytes/index.ts';
import type { ByteInput } from '../bytes/index.ts';
import { LodeError } from '../errors.ts';
import { Turns } from '../parallel.ts';
import type { Committed } from '../history/index.ts';
import type { DatasetManifest } from './manifest/index.ts';
import type { CommitSession } from './session.ts';
import type { StreamFile } from './stream-file.ts';

type State = 'open' | 'committing' | 'committed' | 'failed' | 'aborted';

const afterConflict =
  'The bytes are gone: start another stream and write them again, or open the dataset with retry, which sends nothing twice.';

export class BlobWriter<S> implements AsyncDisposable {
  readonly #session: CommitSession;
  readonly #file: StreamFile;
  readonly #onCommitted: (committed: Committed<DatasetManifest>) => S;
  readonly #onClosed: (writer: BlobWriter<S>) => void;
  #state: State = 'open';
  /** The first chunk that could not be taken. */
  #failure: { readonly error: unknown } | undefined;
  /** Calls run one after another, awaited or not: chunks written at once would overtake one another. */
  readonly #turns = new Turns();
  /** Ends the wait for a stream that is being written. */
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;

  /** Made by `streamWrite`; `signal` is that of its call. */
  constructor(
    session: CommitSession,
    file: StreamFile,
    onCommitted: (committed: Committed<DatasetManifest>) => S,
    onClosed: (writer: BlobWriter<S>) => void,
    signal: AbortSignal | undefined,
  ) {
    const { signal: stopped } = this.#stop;
    this.#signal = signal === undefined ? stopped : AbortSignal.any([signal, stopped]);
    this.#session = session;
    this.#file = file;
    this.#onCommitted = onCommitted;
    this.#onClosed = onClosed;
  }

  /** Adds bytes, in order. Resolves when there is room for more; do not change a chunk after handing it over. */
  async write(bytes: ByteInput): Promise<void> {
    this.#require('write');
    const source = byteSource(bytes);
    return this.#turns.take(async () => {
      if (this.#state === 'aborted') this.#require('write');
      if (this.#failure !== undefined) throw this.#failure.error;
      try {
        if (source.bytes !== undefined) return await this.#file.write(source.bytes);
        for await (const chunk of abortable(source.stream(), this.#signal))
          await this.#file.write(chunk);
      } catch (error) {
        // A part is missing from here on: what is left must not be committed as if it were whole.
        this.#failure = { error };
        throw error;
      }
    });
  }

  /** Makes the snapshot visible. The last call. After a failure the data is gone, unless the outcome is open. */
  async commit(): Promise<S> {
    this.#require('commit');
    this.#state = 'committing';
    try {
      const file = await this.#turns.take(async () => {
        if (this.#file.isOurs) this.#session.begun(this.#file.path);
        if (this.#failure !== undefined) throw this.#failure.error;
        return this.#file.finish();
      });
      const committed = await this.#session.commit({ files: [file], rowCount: 1 }, afterConflict);
      this.#state = 'committed';
      return this.#onCommitted(committed);
    } catch (error) {
      this.#state = 'failed';
      await this.#file.abort();
      throw await this.#session.discard(error);
    } finally {
      this.#onClosed(this);
    }
  }

  /** Gives up: nothing becomes visible and the data is deleted. May be repeated; an error once committed. */
  async abort(): Promise<void> {
    if (this.#state === 'committed' || this.#state === 'committing') this.#require('abort');
    if (this.#state !== 'open') return;
    this.#state = 'aborted';
    this.#stop.abort(closed('write', 'is closed (aborted)', this.#file.path));
    await this.#file.abort();
    if (this.#file.isOurs) this.#session.begun(this.#file.path);
    await this.#session.discard(undefined);
    this.#onClosed(this);
  }

  /** As `abort`, and nothing at all once committed. */
  async close(): Promise<void> {
    if (this.#state === 'open') await this.abort();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #require(call: string): void {
    if (this.#state === 'open') return;
    const why =
      this.#state === 'committed' ? 'was committed already' : `is closed (${this.#state})`;
    throw closed(call, why, this.#file.path);
  }
}

function closed(call: string, why: string, key: string): LodeError {
  return new LodeError('LODE_CLOSED', `cannot ${call}: this writer ${why}`, {
    key,
    next: 'Start another with streamWrite().',
  });
}
