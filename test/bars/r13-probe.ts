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
import { s3Store } from '../../src/s3.ts';
import {
  misbehavingServers,
  misbehavingStores,
  s3Double,
  type MisbehavingServer,
} from '../../src/testing/index.ts';

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
async function verdictOn(store: Store, left: () => Promise<string[]>): Promise<Verdict> {
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
  const keys = await left();
  return keys.length === 0 ? { reason } : { fault: `left behind ${keys.join(', ')}` };
}

/** The same over sockets: our S3 store, which probes by itself, on a server of that kind. */
async function verdictOnServer({ rules }: MisbehavingServer): Promise<Verdict> {
  await using double = await s3Double();
  for (const rule of rules()) double.script(rule);
  const { bucket, endpoint, region, credentials } = double;
  await using store = s3Store({ bucket, endpoint, region, credentials });
  return await verdictOn(store, async () => [...double.objects.keys()]);
}

export const bar: Bar = {
  id: 'R13',
  title: 'misbehaving storage is refused before the first conditional put',
  async run({ log }) {
    let failed = 0;
    const verdict = (name: string, { fault, reason }: Verdict): void => {
      log(`${name}: ${fault === undefined ? `refused (${reason})` : `FAILED, ${fault}`}`);
      if (fault !== undefined) failed++;
    };
    for (const { name, wrap } of misbehavingStores) {
      const storage = memoryStore();
      verdict(name, await verdictOn(withProbe(wrap(storage)), () => keysIn(storage)));
    }
    for (const server of misbehavingServers)
      verdict(`server ${server.name}`, await verdictOnServer(server));
    const honest = memoryStore();
    const good = withRetry(withProbe(withPrefix(honest, 'p')));
    const stored = await good.put('a', 'x');
    const left = await keysIn(honest);
    if (stored.outcome !== 'stored' || left.join() !== 'p/a') failed++;
    const count = misbehavingStores.length + misbehavingServers.length;
    const pass = failed === 0 && misbehavingServers.length >= 24;
    return {
      outcome: pass ? 'pass' : 'fail',
      figure: `${count - failed} of ${count} refused, honest storage accepted (bar 24 servers)`,
    };
  },
};
