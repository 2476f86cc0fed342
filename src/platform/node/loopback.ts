/**
 * A web server on the loopback interface for test doubles: the request parsed by Node, the answer either Node's or, byte
 * by byte, ours. Loaded with the first use.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How a connection ends: orderly, with a reset, or with our half closed and theirs left open. */
export type Ending = 'close' | 'reset' | 'half-close';

type HeaderList = readonly (readonly [name: string, value: string])[];

/** One request and the connection it came on. Neither reading nor writing fails when the peer is gone. */
export interface LoopbackExchange {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly headers: HeaderList;
  /** Counts connections from 1. */
  readonly connection: number;
  /** The whole body, after "100 Continue" where the peer waits for one; `undefined` when the peer left before its end. */
  read(): Promise<Uint8Array | undefined>;
  /** Takes what is left of the body and forgets it. */
  discard(): void;
  /** A whole answer; the connection stays open. */
  answer(status: number, headers: HeaderList, body: Uint8Array): Promise<void>;
  /** Bytes as they are, with no answer around them: `end` has to follow. */
  write(bytes: Uint8Array): Promise<void>;
  end(how: Ending): void;
  /** Aborts when the peer leaves. */
  readonly gone: AbortSignal;
}

export interface Loopback {
  readonly port: number;
  /** Ends every connection. */
  close(): Promise<void>;
}

interface LoopbackOptions {
  readonly serve: (exchange: LoopbackExchange) => Promise<void>;
  /** Called whenever a connection or bytes arrive, or an answer leaves. */
  readonly onActivity?: () => void;
}

/** Starts a server on a free port; `undefined` where the platform has none. */
export const listen: ((options: LoopbackOptions) => Promise<Loopback>) | undefined = async ({
  serve,
  onActivity = () => {},
}) => {
  const server = process.getBuiltinModule('node:http').createServer({ keepAliveTimeout: 0 });
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  const numbers = new WeakMap<Socket, number>();
  const open = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    onActivity();
    numbers.set(socket, ++connections);
    open.add(socket);
    socket.on('data', onActivity);
    socket.on('error', () => {});
    socket.once('close', () => {
      onActivity();
      open.delete(socket);
    });
  });
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const exchange = new NodeExchange(request, response, numbers.get(request.socket) ?? 0);
    response.once('finish', onActivity);
    void serve(exchange);
  };
  server.on('request', handle);
  server.on('checkContinue', handle);
  server.on('clientError', (_: Error, socket: Socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  const port = await started(server);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
};

function started(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

/** A peer in this process that finds bytes and a reset at once takes them for an orderly end: it reads the bytes first. */
const turnsToRead = 20;

function afterTurns(turns: number, run: () => void): void {
  if (turns === 0) run();
  else setImmediate(() => afterTurns(turns - 1, run));
}

class NodeExchange implements LoopbackExchange {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly connection: number;
  readonly gone: AbortSignal;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #socket: Socket;

  constructor(request: IncomingMessage, response: ServerResponse, connection: number) {
    this.#request = request;
    this.#response = response;
    this.#socket = request.socket;
    this.method = request.method ?? '';
    this.target = request.url ?? '';
    const raw = request.rawHeaders;
    this.headers = Array.from({ length: raw.length / 2 }, (_, i) => [
      raw[2 * i] ?? '',
      raw[2 * i + 1] ?? '',
    ]);
    this.connection = connection;
    const gone = new AbortController();
    this.gone = gone.signal;
    response.once('close', () => gone.abort());
    request.on('error', () => {});
    response.on('error', () => {});
  }

  read(): Promise<Uint8Array | undefined> {
    const request = this.#request;
    const waits = request.headers.expect?.toLowerCase() === '100-continue';
    if (waits) this.#response.writeContinue();
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.once('end', () => resolve(new Uint8Array(Buffer.concat(chunks))));
      request.once('close', () => resolve(undefined));
    });
  }

  discard(): void {
    this.#request.resume();
  }

  answer(status: number, headers: HeaderList, body: Uint8Array): Promise<void> {
    const response = this.#response;
    response.sendDate = false;
    return new Promise((resolve) => {
      response.once('close', resolve);
      response.writeHead(
        status,
        headers.flatMap(([name, value]) => [name, value]),
      );
      response.end(body, () => resolve());
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#socket.destroyed || bytes.length === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#socket.write(bytes, () => resolve()));
  }

  end(how: Ending): void {
    const socket = this.#socket;
    if (how === 'reset') afterTurns(turnsToRead, () => socket.resetAndDestroy());
    else if (how === 'half-close') socket.end();
    else socket.end(() => socket.destroy());
  }
}
