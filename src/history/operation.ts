/** What one public call carries through every layer below it. */
import type { Env } from '../env.ts';
import type { Logger } from '../events.ts';
import type { Store } from '../store/store.ts';

export interface Operation {
  /** The store as this call sees it: counted, so that the call can report its cost. */
  readonly store: Store;
  readonly env: Env;
  readonly signal: AbortSignal | undefined;
  readonly logger?: Logger | undefined;
  /** Id that this call uploads data under: its folder is no snapshot yet, and need not be looked into. */
  readonly uploading?: string;
}
