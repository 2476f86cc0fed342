/** At risk: the contract of the Store seam in a bucket, over sockets, bare and with what a user puts around it. */
import { test } from 'node:test';
import { withRetry } from '../../src/index.ts';
import { s3Store, type Transport } from '../../src/s3.ts';
import { httpClient } from '../../src/platform/web/http.ts';
import { s3Double, storeConformance } from '../../src/testing/index.ts';
import type { Opened } from '../../src/testing/index.ts';
import type { Store } from '../../src/store/store.ts';

async function open(
  prefix: string,
  wrap: (store: Store) => Store,
  transport?: () => Transport,
): Promise<Opened> {
  const double = await s3Double();
  const { endpoint, bucket, credentials } = double;
  const stores = [0, 1].map(() =>
    s3Store({ bucket, prefix, endpoint, credentials, transport: transport?.() }),
  );
  const [store, other] = stores.map((one) => wrap(one));
  return {
    store: store as Store,
    another: async () => other as Store,
    async close() {
      await Promise.all(stores.map((one) => one.close()));
      await double.close();
    },
  };
}

storeConformance({ name: 's3', test, open: () => open('', (store) => store) });
storeConformance({
  name: 's3 below a prefix, withRetry',
  test,
  open: () => open('a/b c', withRetry),
});
storeConformance({
  name: 's3 by fetch, as in a browser',
  test,
  open: () =>
    open(
      '',
      (store) => store,
      () => httpClient({ timeoutMs: 30_000 }),
    ),
});
