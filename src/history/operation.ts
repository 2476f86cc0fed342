/** What one public call carries through every layer below it. */
import type { Env } from '../env.ts';
import { LodeError } from '../errors.ts';
import type { Logger } from '../events.ts';
import { kindOf } from '../options.ts';
import { watched, withMeter } from '../store/index.ts';
import type { Meter, Store } from '../store/index.ts';

export interface Operation {
  /** The store as this call sees it: counted, so that the call can report its cost. */
  readonly store: Store;
  readonly env: Env;
  readonly signal: AbortSignal | undefined;
  readonly logger?: Logger | undefined;
  /** Id that this call uploads data under: its folder is no snapshot yet, and need not be looked into. */
  readonly uploading?: string;
}

export interface CallOptions {
  /** Aborting rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
}

export interface MeteredOptions extends CallOptions {
  /** Counts what this call asks of the store. */
  readonly meter?: Meter;
}

/** Begins a call: its requests are watched, and counted where there is a meter. */
export function beginOperation(
  { store, env, logger }: Pick<Operation, 'store' | 'env' | 'logger'>,
  signal: AbortSignal | undefined,
  meter: Meter | undefined,
): Operation {
  if (signal && typeof signal.throwIfAborted !== 'function') {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'this is not an AbortSignal', {
      field: 'signal',
      actual: kindOf(signal),
      next: 'Pass the signal of an AbortController, or none.',
    });
  }
  signal?.throwIfAborted();
  const seen = watched(store, env, logger);
  return { store: meter === undefined ? seen : withMeter(seen, meter), env, signal, logger };
}
