/**
 * At risk: a shared history under load. Two Go and two Node processes commit to one directory at once. Go writers lose
 * commits of their own to each other's repairs (E-2); none of ours may be among them.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fsStore } from '../../src/fs.ts';
import { jsonl, openDataset } from '../../src/index.ts';
import type { Snapshot } from '../../src/index.ts';
import { GoPeer, goPeer } from './go-peer.ts';
import type { GoSnapshot } from './go-peer.ts';
import { isOurs, race } from './race.ts';

const peer = await goPeer();

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const ids = (snapshots: readonly { readonly id: string }[]): string[] =>
  snapshots.map(({ id }) => id);

describe('a race with Go', { skip: 'missing' in peer ? peer.missing : false }, () => {
  it('of two processes each loses none of our commits', async (t) => {
    assert.ok(peer instanceof GoPeer);
    const root = await mkdtemp(join(tmpdir(), 'lode-interop-'));
    t.after(() => rm(root, { recursive: true, force: true }));
    const commits = 60;
    const { ours, theirs } = await race(peer, {
      root,
      dataset: 'd',
      codec: 'jsonl',
      commits,
      retry: { count: 20 },
    });

    const dataset = await openDataset('d', { store: fsStore(root), codec: jsonl() });
    const history = new Set(ids(await all(dataset.snapshots())));
    const cutOff: Snapshot[] = await all(dataset.snapshots({ unreachable: true }));
    const lost = cutOff.filter(({ id }) => ours.acked.includes(id) || theirs.acked.includes(id));
    t.diagnostic(
      `${ours.acked.length} commits of ours, ${ours.failed.length} refused; ${theirs.acked.length} of Go, ` +
        `${theirs.failed.length} refused, ${lost.length} of them cut off by its own rewinds`,
    );
    for (const failure of new Set([...ours.failed, ...theirs.failed])) t.diagnostic(failure);

    assert.equal(ours.acked.length, 2 * commits);
    assert.ok(ours.acked.length + theirs.acked.length >= 200);
    for (const id of ours.acked) assert.ok(history.has(id), `${id}, ours, is in the history`);
    for (const { id, manifest } of cutOff)
      assert.ok(!isOurs(manifest.metadata), `${id}, cut off, is not ours`);

    // Whatever was acknowledged exists, and both sides read it all.
    await using go = peer.serve();
    const found = ids(await go.request<GoSnapshot[]>('snapshots', { root, dataset: 'd' }));
    for (const id of [...ours.acked, ...theirs.acked]) {
      assert.ok(found.includes(id), `${id} exists`);
      const { records } = await go.request<{ records: unknown[] }>('read', {
        root,
        dataset: 'd',
        codec: 'jsonl',
        id,
      });
      assert.deepEqual(await dataset.read(id), records);
    }
    assert.deepEqual((await dataset.verify()).problems, []);
  });
});
