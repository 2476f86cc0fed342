/** R9 in short, and acceptance case 52: processes and their locks. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { fsStore } from '../../src/fs.ts';
import { jsonl, openDataset } from '../../src/index.ts';
import { holdLock, race } from './processes.ts';

async function folder(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'lode-race-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  return root;
}

describe('processes on one dataset', () => {
  it('make one chain, and those that are killed hold nobody up', async (t) => {
    const result = await race(await folder(t), { processes: 3, commits: 8, kills: 1 });
    t.diagnostic(
      `${result.snapshots} snapshots, others on after ${Math.round(result.stalledMs)} ms`,
    );
    assert.deepEqual(result.wrong, []);
  });

  const skip = spawnSync('flock', ['--version']).error !== undefined && 'there is no flock program';
  it(
    'wait for a lock that somebody else holds, and go on when it is let go',
    { skip },
    async (t) => {
      const root = await folder(t);
      const open = { store: fsStore(root), codec: jsonl<{ n: number }>() };
      const dataset = await openDataset('d', open);
      const first = await dataset.write([{ n: 1 }]);
      const letGo = await holdLock(root);
      let landed = false;
      const writing = dataset.write([{ n: 2 }]).then((committed) => {
        landed = true;
        return committed;
      });
      // Far longer than a commit takes; readers are not kept waiting.
      for (let i = 0; i < 40; i++)
        assert.equal((await (await openDataset('d', open)).latest()).id, first.id);
      assert.equal(landed, false);
      await letGo();
      assert.equal((await writing).manifest.parentSnapshotId, first.id);
    },
  );
});
