/** A web server on the loopback interface: a browser has none to offer. */

/** How a connection ends: orderly, with a reset, or with our half closed and theirs left open. */
export type Ending = 'close' | 'reset' | 'half-close';

type HeaderList = readonly (readonly [name: string, value: string])[];

export interface LoopbackExchange {
  readonly method: string;
  readonly target: string;
  readonly headers: HeaderList;
  readonly connection: number;
  read(): Promise<Uint8Array | undefined>;
  discard(): void;
  answer(status: number, headers: HeaderList, body: Uint8Array): Promise<void>;
  write(bytes: Uint8Array): Promise<void>;
  end(how: Ending): void;
  readonly gone: AbortSignal;
}

export interface Loopback {
  readonly port: number;
  close(): Promise<void>;
}

interface LoopbackOptions {
  readonly serve: (exchange: LoopbackExchange) => Promise<void>;
  readonly onActivity?: () => void;
}

/** Starts a server on a free port; `undefined` where the platform has none. */
export const listen: ((options: LoopbackOptions) => Promise<Loopback>) | undefined = undefined;
