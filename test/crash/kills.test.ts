/** R1 in short: what was acknowledged survives `kill -9`. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { killAndLook } from './kills.ts';

describe('a process that is killed', () => {
  it('loses nothing it acknowledged, and leaves nothing half there', async (t) => {
    const root = await mkdtemp(join(tmpdir(), 'lode-kill-'));
    t.after(() => rm(root, { recursive: true, force: true }));
    const { kills, early, acks, unheard, ...wrong } = await killAndLook(
      join(root, 'd'),
      8,
      Date.now(),
    );
    t.diagnostic(
      `${kills} kills, ${early} of them early, ${acks} acknowledged, ${unheard} unheard`,
    );
    assert.deepEqual(wrong, { lost: [], halfVisible: [], duplicates: [], failures: [] });
    assert.ok(acks > 0);
  });
});
