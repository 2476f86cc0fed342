/** At risk: data that others may refer to, deleted while a write that failed takes its own back. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { hive } from '../../../src/dataset/index.ts';
import { LodeError } from '../../../src/errors.ts';
import { virtualEnv } from '../../../src/testing/index.ts';
import type { Store } from '../../../src/store/index.ts';
import { fails, keysOf, onBoth, watched } from './bed.ts';

void describe('clean-up after a failed write', () => {
  onBoth(
    'deletes nothing beside a manifest that is there, whatever it is aborted with',
    async (bed) => {
      const stop = new AbortController();
      const reason = new LodeError('LODE_SNAPSHOT_CONFLICT', 'of another call', {
        expectedHead: undefined,
        actualHead: undefined,
      });
      const put: Store['put'] = async (key, body, options) => {
        const result = await bed.store.put(key, body, options);
        if (!key.endsWith('/manifest.json')) return result;
        stop.abort(reason);
        throw reason;
      };
      const store = watched(bed.store, { put });
      const events = await bed.records({ store, peers: 'go' });
      const { signal } = stop;
      await assert.rejects(events.write([{ n: 1 }], {}, { signal }), (error) => error === reason);
      assert.ok((await keysOf(bed.store)).some((key) => key.includes('/data/')));
    },
  );

  onBoth('is not needed between two writers whose clocks are behind the head', async (bed) => {
    const ahead = virtualEnv();
    ahead.stepWallClock(60 * 60 * 1000);
    await (await bed.records({ env: ahead })).write([{ n: 0 }]);
    const first = await bed.records({ env: virtualEnv({ seed: 2 }) });
    const second = await bed.records({ env: virtualEnv({ seed: 3 }) });
    await Promise.all([first.latest(), second.latest()]);
    await first.write([{ n: 1 }]);
    // Not LODE_ALREADY_EXISTS: they have drawn different ids.
    await fails(second.write([{ n: 2 }]), 'LODE_SNAPSHOT_CONFLICT');
  });

  onBoth('deletes no file of a writer that drew the same id', async (bed) => {
    const theirs = new Set<string>();
    const put: Store['put'] = async (key, body, options) => {
      if (key.includes('/data/')) {
        theirs.add(key);
        await bed.store.put(key, 'by another writer');
      }
      return bed.store.put(key, body, options);
    };
    const store = watched(bed.store, { put });
    const events = await bed.records({ store, layout: hive('k') });
    await fails(events.write([{ k: 'a' }, { k: 'b' }]), 'LODE_ALREADY_EXISTS');
    assert.deepEqual(await keysOf(bed.store), [...theirs]);
    assert.equal(theirs.size, 2);
  });
});
