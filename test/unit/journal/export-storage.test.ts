/**
 * At risk: a backup in a bucket that a failing request ends. Whichever request of an export or a restoration fails, with or without its
 * effect, the next one goes on, and what comes back is the journal.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryStore, openDataset } from '../../../src/index.ts';
import type { Store } from '../../../src/index.ts';
import { isLodeError } from '../../../src/errors.ts';
import { exportJournal, restoreJournal } from '../../../src/journal.ts';
import { s3Store } from '../../../src/s3.ts';
import { faultyStore, limitedStore, s3Double, virtualEnv } from '../../../src/testing/index.ts';
import { dir, newDisk, open } from './key-value.ts';

describe('a journal in storage that fails', () => {
  for (const kind of ['fail', 'effect-then-fail', 'effect-then-lie', 'false-conflict'] as const) {
    for (const guardedPut of [true, false]) {
      it(`is there after the next call: ${kind}, ${guardedPut ? 'locks' : 'compare-and-swap'}`, async () => {
        const env = virtualEnv();
        let at = 0;
        for (let isHit = true; isHit; at++) {
          const memory = memoryStore({ env });
          const bucket = { name: 'bucket', guardedPut: false, settleMs: 1_000 };
          const inner = guardedPut ? memory : limitedStore(memory, bucket);
          const source = await newDisk();
          const faulty = faultyStore(inner, { kind, on: 'put', at, times: 1 });
          isHit = false;
          await using journal = await open(source, { snapshot: { keep: 1 } });
          for (let round = 0; round < 3; round++) {
            await journal.append({ key: `${round}`, value: at });
            if (round === 2) await journal.snapshot();
            const dataset = await openDataset('backup', { store: faulty.store, env });
            const again = async (): Promise<unknown> =>
              journal.exportTo(await openDataset('backup', { store: inner, env }));
            try {
              await journal.exportTo(dataset);
            } catch (error) {
              assert.ok(isLodeError(error), String(error));
              await again();
            }
          }
          isHit = faulty.fired > 0;
          const dataset = await openDataset('backup', { store: inner, env });
          const copy = await newDisk();
          await restoreJournal(dir, dataset, { disk: copy });
          await using restored = await open(copy, { recovery: 'strict' });
          assert.deepEqual(restored.state, journal.state, `put ${at}`);
        }
        assert.ok(at > 9, `${at} puts`);
      });
    }
  }
});

it('a journal goes to a bucket and comes back from it', async () => {
  await using double = await s3Double();
  const { bucket, endpoint, region, credentials } = double;
  await using store = s3Store({ bucket, endpoint, region, credentials });
  const disk = await newDisk();
  await using journal = await open(disk);
  const dataset = await openDataset('backup', { store: store satisfies Store });
  for (let round = 0; round < 3; round++) {
    await journal.append({ key: `${round}`, value: 'x'.repeat(round * 100_000) });
    await (round === 1 ? exportJournal(dir, dataset, { disk }) : journal.exportTo(dataset));
  }
  const copy = await newDisk();
  const { lsn } = await restoreJournal(dir, dataset, { disk: copy });
  assert.equal(lsn, 3);
  await using restored = await open(copy, { recovery: 'strict' });
  assert.deepEqual(restored.state, journal.state);
});
