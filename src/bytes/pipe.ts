/**
 * A pipe between a caller who pushes bytes and a store that pulls them.
 *
 * `write` resolves when the reader has asked for more, so at most one chunk waits (back-pressure). A reader that
 * stops early says so when it settles, through whoever drives it: why it stopped is then what the writing side fails with.
 */
import type { ByteSource } from './source.ts';

export interface BytePipe {
  readonly source: ByteSource;
  /** Hands over a chunk; the caller must not change it afterwards. */
  write(chunk: Uint8Array): Promise<void>;
  /** No more bytes. */
  end(): Promise<void>;
  /** The reader sees this error instead of an end; the bytes so far must not become an object. */
  fail(error: Error): void;
  /** Called by whoever drives the reader when it settled: fails a writer that still waits. */
  readerGone(error: Error): void;
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export function bytePipe(): BytePipe {
  let chunk: Uint8Array | undefined;
  let ended = false;
  let failure: Error | undefined;
  let gone: Error | undefined;
  let writer: Waiting | undefined;
  let reader: (() => void) | undefined;

  const wakeReader = (): void => {
    reader?.();
    reader = undefined;
  };
  const taken = (): Promise<void> =>
    new Promise((resolve, reject) => {
      writer = { resolve, reject };
      wakeReader();
    });

  async function* stream(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (failure !== undefined) throw failure;
      if (chunk !== undefined) {
        const next = chunk;
        chunk = undefined;
        yield next;
        continue;
      }
      writer?.resolve();
      writer = undefined;
      if (ended) return;
      await new Promise<void>((resolve) => (reader = resolve));
    }
  }

  function readerGone(error: Error): void {
    gone ??= error;
    writer?.reject(gone);
    writer = undefined;
  }

  return {
    source: { size: undefined, replayable: false, stream },
    async write(next) {
      if (gone !== undefined) throw gone;
      if (next.length === 0) return;
      chunk = next;
      await taken();
    },
    async end() {
      if (gone !== undefined) throw gone;
      ended = true;
      wakeReader();
    },
    fail(error) {
      failure = error;
      wakeReader();
    },
    readerGone,
  };
}
