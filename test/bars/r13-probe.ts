/** R13: storage without working conditional writes is refused before the first one, and the probe leaves nothing behind. */
import type { Bar } from '../../bench/harness.ts';
import {
  isLodeError,
  memoryStore,
  withPrefix,
  withProbe,
  withRetry,
  type Store,
} from '../../src/index.ts';
import { misbehavingStores } from '../../src/testing/index.ts';

async function keysIn(store: Store): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return keys;
}

interface Verdict {
  readonly fault?: string;
  readonly reason?: string;
}

/** What went wrong, or what the storage was refused for. */
async function verdictOn(store: Store, storage: Store): Promise<Verdict> {
  let reason = '';
  for (const mode of ['create', { ifMatch: '"x"' }] as const) {
    try {
      const { outcome } = await store.put('dataset/latest', 'x', { mode });
      return { fault: `a conditional put was answered ${outcome}` };
    } catch (error) {
      if (!isLodeError(error, 'LODE_CONDITIONS_UNSUPPORTED')) {
        return { fault: `not refused but ${String(error)}` };
      }
      reason = `${error.details.field}: expected ${error.details.expected}, got ${error.details.actual}`;
    }
  }
  const left = await keysIn(storage);
  return left.length === 0 ? { reason } : { fault: `left behind ${left.join(', ')}` };
}

export const bar: Bar = {
  id: 'R13',
  title: 'misbehaving storage is refused before the first conditional put',
  async run({ log }) {
    let failed = 0;
    for (const { name, wrap } of misbehavingStores) {
      const storage = memoryStore();
      const { fault, reason } = await verdictOn(withProbe(wrap(storage)), storage);
      log(`${name}: ${fault === undefined ? `refused (${reason})` : `FAILED, ${fault}`}`);
      if (fault !== undefined) failed++;
    }
    const honest = memoryStore();
    const good = withRetry(withProbe(withPrefix(honest, 'p')));
    const stored = await good.put('a', 'x');
    const left = await keysIn(honest);
    if (stored.outcome !== 'stored' || left.join() !== 'p/a') failed++;
    const count = misbehavingStores.length;
    const pass = failed === 0 && count >= 20;
    return {
      outcome: pass ? 'pass' : 'fail',
      figure: `${count - failed} of ${count} refused, honest storage accepted (bar 20)`,
    };
  },
};
