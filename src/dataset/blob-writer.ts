/** A raw object streamed into a snapshot: nothing is visible before `commit()`, and without it nothing stays. */
import { byteSource } from '../bytes/index.ts';
import type { ByteInput } from '../bytes/index.ts';
import { LodeError } from '../errors.ts';
import type { Committed } from '../history/index.ts';
import type { DatasetManifest } from './manifest/index.ts';
import type { CommitSession } from './session.ts';
import type { StreamFile } from './stream-file.ts';

type State = 'open' | 'committing' | 'committed' | 'failed' | 'aborted';

export class BlobWriter<S> implements AsyncDisposable {
  readonly #session: CommitSession;
  readonly #file: StreamFile;
  readonly #onCommitted: (committed: Committed<DatasetManifest>) => S;
  readonly #onClosed: (writer: BlobWriter<S>) => void;
  #state: State = 'open';

  /** Made by `streamWrite`. */
  constructor(
    session: CommitSession,
    file: StreamFile,
    onCommitted: (committed: Committed<DatasetManifest>) => S,
    onClosed: (writer: BlobWriter<S>) => void,
  ) {
    this.#session = session;
    this.#file = file;
    this.#onCommitted = onCommitted;
    this.#onClosed = onClosed;
  }

  /** Adds bytes, in order. Resolves when there is room for more; do not change a chunk after handing it over. */
  async write(bytes: ByteInput): Promise<void> {
    this.#require('write');
    const source = byteSource(bytes);
    if (source.bytes !== undefined) return this.#file.write(source.bytes);
    for await (const chunk of source.stream()) await this.#file.write(chunk);
  }

  /** Makes the snapshot visible. The last call. After a failure the data is gone, unless the outcome is open. */
  async commit(): Promise<S> {
    this.#require('commit');
    this.#state = 'committing';
    try {
      if (this.#file.isOurs) this.#session.begun(this.#file.path);
      const file = await this.#file.finish();
      const committed = await this.#session.commit({ files: [file], rowCount: 1 });
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
    throw new LodeError('LODE_CLOSED', `cannot ${call}: this writer ${why}`, {
      key: this.#file.path,
      next: 'Start another with streamWrite().',
    });
  }
}
