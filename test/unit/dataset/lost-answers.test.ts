/** At risk: a snapshot committed twice, or deleted data of one that was committed, because an answer did not come. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { CommittedSnapshot } from '../../../src/dataset/index.ts';
import { faultyStore } from '../../../src/testing/index.ts';
import { all, onBoth } from './bed.ts';

void describe('lost answers', () => {
  // E-3: a conflict with one's own write is a success; what is open stays undeleted and can be settled.
  onBoth('are settled by looking, wherever they are lost', async (bed) => {
    for (const kind of [
      'effect-then-fail',
      'effect-then-lie',
      'conflict-with-own',
      'late-effect',
      'fail',
      'time-out',
    ] as const) {
      for (let at = 0; at < 3; at++) {
        const before = await (await bed.records()).latest().catch(() => undefined);
        const faulty = faultyStore(bed.store, { kind, on: 'put', at });
        const dataset = await bed.records({ store: faulty.store });
        const made = await dataset.write([{ kind, at }]).catch((error: unknown) => error);
        await faulty.settle();
        const after = await (await bed.records()).latest();
        if (made instanceof Error) {
          assert.equal(
            after.id,
            before?.id,
            `${kind} at ${at}: failed, and yet visible: ${made.message}`,
          );
        } else {
          const { id, manifest } = made as CommittedSnapshot;
          assert.equal(after.id, id, `${kind} at ${at}`);
          assert.equal(manifest.parentSnapshotId, before?.id);
          assert.deepEqual(await dataset.read(id), [{ kind, at }]);
        }
        assert.deepEqual((await dataset.verify()).problems, [], `${kind} at ${at}`);
        const found = await all((await bed.records()).records({ since: before?.id }));
        assert.equal(found.length, made instanceof Error ? 0 : 1, `${kind} at ${at}: once`);
      }
    }
  });
});
