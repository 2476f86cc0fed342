/**
 * Wire scripts (R12): a hazard, what the server does, what is asked of the store, and what has to come of it. Data only: they
 * know the Store seam and the double, and nothing of the adapter they judge.
 */
import type { S3DoubleOptions, S3Rule } from '../../../src/testing/index.ts';

export type WireMode = 'create' | 'overwrite' | 'ifMatch current' | 'ifMatch stale';

/** `ifMatch current` is the etag that the object has before the script begins. */
export type WireCall =
  | {
      readonly put: string;
      readonly body: string | { readonly bytes: number };
      readonly mode?: WireMode;
    }
  | {
      readonly get: string;
      readonly range?: { readonly offset: number; readonly length: number };
      readonly if?: 'match current' | 'match stale' | 'none match current';
    }
  /** Reads the first chunk and cancels. */
  | { readonly leave: string }
  | { readonly head: string }
  | { readonly list: string; readonly delimiter?: '/'; readonly startAfter?: string }
  | { readonly delete: readonly string[] };

/**
 * `stored`, `conflict`, `missing`, `not modified`, `left`, `content TEXT`, `size N`, `keys A B`, `deleted A B`,
 * `failed A:CODE`, joined by a space, `error CODE`; `error` alone is any typed error.
 */
export type WireOutcome = string;

export interface WireScript {
  readonly name: string;
  readonly objects?: Readonly<Record<string, string>>;
  readonly double?: Omit<S3DoubleOptions, 'env'>;
  /** The server's clock is so far ahead. */
  readonly clockMs?: number;
  /** `elsewhere` is the endpoint of another server, which must not be sent credentials. */
  readonly rules: readonly S3Rule[] | ((elsewhere: string) => readonly S3Rule[]);
  /** Made one after the other; the outcome is that of the last. */
  readonly calls: readonly WireCall[];
  /** Any of them. */
  readonly outcomes: readonly WireOutcome[];
  /** Content afterwards, of the objects named; `undefined`: there is none. */
  readonly after?: Readonly<Record<string, string | undefined>>;
  /** Most requests the server may see. */
  readonly requestsMax?: number;
  /** Uploads left behind; none unless told. */
  readonly uploads?: number;
  /** What `resolve()` has to answer, if the outcome is uncertain: when the server has become honest again. */
  readonly resolves?: 'landed';
}

export const uncertain: WireOutcome = 'error LODE_WRITE_UNCERTAIN';
export const unavailable: WireOutcome = 'error LODE_UNAVAILABLE';
export const denied: WireOutcome = 'error LODE_PERMISSION_DENIED';
export const anyError: WireOutcome = 'error';
