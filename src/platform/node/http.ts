/**
 * HTTP/1.1 of the platform: connections that stay open, no redirects followed, nothing decoded. Errors are the platform's own.
 *
 * A connection that waits idle does not keep the process alive.
 */
import type * as Http from 'node:http';
import type * as Https from 'node:https';

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

interface Lane {
  readonly module: typeof Http | typeof Https;
  readonly kept: Http.Agent;
  /** Opens a connection for each request. */
  readonly single: Http.Agent;
}

/** A client that gives up when nothing moves for `timeoutMs`, with a `TimeoutError`. */
export function httpClient({ timeoutMs }: { readonly timeoutMs: number }): HttpClient {
  const lanes = new Map<string, Lane>();
  const laneOf = (protocol: string): Lane => {
    let lane = lanes.get(protocol);
    if (lane === undefined) {
      // Loaded with the first request: they would be most of what importing us costs.
      const name = protocol === 'https:' ? 'node:https' : 'node:http';
      const module = process.getBuiltinModule(name);
      lane = {
        module,
        kept: new module.Agent({ keepAlive: true, timeout: timeoutMs, maxSockets: 256 }),
        single: new module.Agent({ keepAlive: false, timeout: timeoutMs }),
      };
      lanes.set(protocol, lane);
    }
    return lane;
  };
  return {
    mayRepeat: false,
    send: (request) =>
      exchange(request, laneOf(request.origin.slice(0, request.origin.indexOf('/')))),
    async close() {
      for (const { kept, single } of lanes.values()) {
        kept.destroy();
        single.destroy();
      }
      lanes.clear();
    },
  };
}

const hosts = new Map<string, { readonly host: string; readonly port: string }>();

function hostOf(origin: string): { readonly host: string; readonly port: string } {
  let known = hosts.get(origin);
  if (known === undefined) {
    const { hostname, port } = new URL(origin);
    known = { host: hostname.replace(/^\[|\]$/g, ''), port };
    if (hosts.size > 100) hosts.clear();
    hosts.set(origin, known);
  }
  return known;
}

function exchange(request: Request, { module, kept, single }: Lane): Promise<Response> {
  const { method, path, headers, body, signal } = request;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const { host, port } = hostOf(request.origin);
    const agent = request.fresh ? single : kept;
    // As a list they are taken as they are, at half the price.
    const list: string[] = [];
    for (const name in headers) list.push(name, headers[name] ?? '');
    const sent = module.request({ host, port, method, path, headers: list, agent });
    if (signal !== undefined) {
      const onAbort = (): void => void sent.destroy(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      sent.on('close', () => signal.removeEventListener('abort', onAbort));
    }
    sent.on('timeout', () => void sent.destroy(new DOMException('nothing moved', 'TimeoutError')));
    // An answer may come before all of the body is sent: what breaks after it is seen where the answer is read.
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // What is still waiting here, or failed to leave, is not there: the request never became whole.
      const cutOff = error.syscall === 'write' || (sent.socket?.writableLength ?? 0) > 0;
      // The reason of an abort is the caller's, and stays as it is.
      reject(cutOff && signal?.aborted !== true ? Object.assign(error, { cutOff }) : error);
    });
    let isAnswered = false;
    sent.on('response', (message) => {
      isAnswered = true;
      resolve(answer(message));
    });
    // The platform hangs up, and says nothing, on a server that wants to speak something else than HTTP.
    sent.on('close', () => isAnswered || reject(closedEarly()));
    sent.end(body);
  });
}

function closedEarly(): DOMException {
  return new DOMException('the connection closed early', 'NetworkError');
}

function answer(message: Http.IncomingMessage): Response {
  return {
    status: message.statusCode ?? 0,
    header(name) {
      const value = message.headers[name];
      return typeof value === 'string' ? value : value?.[0];
    },
    chunks: () => chunksOf(message),
    discard() {
      // Short rests are read, so that the connection can be used again.
      if (message.complete || Number(message.headers['content-length']) <= 65_536) message.resume();
      else message.destroy();
      message.on('error', () => {});
    },
  };
}

/** Chunks as they come, at most a few ahead of the reader. Cheaper than the stream's own iterator by half. */
async function* chunksOf(message: Http.IncomingMessage): AsyncGenerator<Uint8Array> {
  const waiting: Uint8Array[] = [];
  let over: { readonly error: Error | undefined } | undefined;
  let wake = (): void => {};
  const finish = (error: Error | undefined): void => {
    over ??= { error };
    wake();
  };
  message.on('data', (chunk: Uint8Array) => {
    waiting.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    if (waiting.length > 4) message.pause();
    wake();
  });
  message.on('end', () => finish(undefined));
  message.on('error', finish);
  const closed = (): void => {
    if (over === undefined) finish(closedEarly());
  };
  message.on('close', closed);
  // It may have broken before anybody listened.
  if (message.destroyed) closed();
  try {
    for (;;) {
      const chunk = waiting.shift();
      if (chunk !== undefined) {
        if (waiting.length === 0 && message.isPaused()) message.resume();
        yield chunk;
        continue;
      }
      if (over !== undefined) {
        if (over.error !== undefined) throw over.error;
        return;
      }
      await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    if (!message.complete) message.destroy();
  }
}
