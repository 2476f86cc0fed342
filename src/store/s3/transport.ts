/** The transport port: one HTTP exchange at a time, as many at once as the caller likes. */

export interface TransportRequest {
  readonly method: string;
  /** `https://host:port`, without a slash at the end. */
  readonly origin: string;
  /** Encoded, with the query: sent as it is. */
  readonly path: string;
  /** Lower-case names; `host` is among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  /** Aborting rejects with its reason and ends the exchange, also while the body of the answer is read. */
  readonly signal: AbortSignal | undefined;
  /** Wants a connection of its own: the server has just said that it is busy. */
  readonly fresh: boolean;
}

export interface TransportResponse {
  readonly status: number;
  /** By lower-case name. */
  header(name: string): string | undefined;
  /** The body, once; throws when the connection ends before the body does. Stopping early ends the exchange. */
  chunks(): AsyncIterable<Uint8Array>;
  /** The body is not wanted. */
  discard(): void;
}

/**
 * Sends requests. Follows no redirects, retries nothing, decodes nothing, and gives up by itself when nothing moves for
 * long, with an error named `TimeoutError`. Rejections before the answer may carry a Node error `code`, by which
 * failures of name lookup, connection and TLS are told from lost answers; and `cutOff: true` when the connection ended before
 * all of the request had left, so that no server can have done what it asks.
 */
export interface Transport {
  /** It may send a request a second time by itself, as browsers do when a kept connection turns out to be dead. */
  readonly mayRepeat?: boolean;
  send(request: TransportRequest): Promise<TransportResponse>;
  close(): Promise<void>;
}
