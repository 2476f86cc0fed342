/** HTTP of the platform: `fetch`. No redirects are followed; the platform owns connections. Errors are its own. */

interface Request {
  readonly method: string;
  /** `https://host:port` */
  readonly origin: string;
  /** Encoded, with the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;
  readonly fresh: boolean;
}

interface Response {
  readonly status: number;
  header(name: string): string | undefined;
  chunks(): AsyncIterable<Uint8Array>;
  discard(): void;
}

interface HttpClient {
  readonly mayRepeat: boolean;
  send(request: Request): Promise<Response>;
  close(): Promise<void>;
}

/** What `fetch` does not let anybody set. */
const forbidden = new Set(['host', 'content-length', 'connection', 'accept-encoding']);

/** A client that gives up when nothing moves for `timeoutMs`, with a `TimeoutError`. */
export function httpClient({ timeoutMs }: { readonly timeoutMs: number }): HttpClient {
  return {
    mayRepeat: true,
    async send(request) {
      const watch = new Watch(timeoutMs, request.signal);
      // How far an upload has come is not told: allow for 64 KiB a second.
      watch.touch((request.body?.length ?? 0) / 64);
      try {
        const response = await fetch(request.origin + request.path, {
          method: request.method,
          headers: Object.entries(request.headers).filter(([name]) => !forbidden.has(name)),
          redirect: 'manual',
          cache: 'no-store',
          credentials: 'omit',
          signal: watch.signal,
          ...(request.body !== undefined && { body: request.body as Uint8Array<ArrayBuffer> }),
        });
        watch.pause();
        return {
          status: response.status,
          header: (name) => response.headers.get(name) ?? undefined,
          chunks: () => chunksOf(response.body, watch),
          discard() {
            watch.end();
            response.body?.cancel().catch(() => {});
          },
        };
      } catch (error) {
        watch.end();
        throw error;
      }
    },
    async close() {},
  };
}

async function* chunksOf(
  body: ReadableStream<Uint8Array> | null,
  watch: Watch,
): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  try {
    for (;;) {
      watch.touch();
      const step = await reader?.read();
      watch.pause();
      if (step === undefined || step.done) return;
      yield step.value;
    }
  } finally {
    watch.end();
    reader?.cancel().catch(() => {});
  }
}

/** Aborts when told, or when it was not touched for too long while something was awaited. */
class Watch {
  readonly #timeoutMs: number;
  readonly #stop = new AbortController();
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#stop.abort(this.#caller?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeoutMs: number, caller: AbortSignal | undefined) {
    this.#timeoutMs = timeoutMs;
    this.#caller = caller;
    caller?.addEventListener('abort', this.#onAbort, { once: true });
    if (caller?.aborted) this.#onAbort();
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  touch(moreMs = 0): void {
    this.pause();
    const onTimeout = (): void =>
      this.#stop.abort(new DOMException('nothing moved', 'TimeoutError'));
    this.#timer = setTimeout(onTimeout, this.#timeoutMs + moreMs);
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    this.pause();
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }
}
