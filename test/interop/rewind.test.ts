/**
 * At risk: our acknowledged commits, beside Go writers that move the pointer before their manifest and readers that move it
 * back (E-2). Real Go processes are held still at the moments that matter.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { fsStore } from '../../src/fs.ts';
import { jsonl, openDataset } from '../../src/index.ts';
import type { Dataset } from '../../src/index.ts';
import { GoPeer, goPeer } from './go-peer.ts';
import type { GoSession, GoSnapshot } from './go-peer.ts';
import type { LineProcess } from './line-process.ts';

const peer = await goPeer();

/** A Go commit taken step by step. */
class GoCommit implements AsyncDisposable {
  readonly #process: LineProcess;
  readonly #lines: AsyncGenerator<unknown, void, undefined>;

  constructor(process: LineProcess) {
    this.#process = process;
    this.#lines = process.lines();
  }

  /** Lets it run to just before the named step, or to its end. */
  async until(step: 'data' | 'pointer' | 'manifest' | 'end'): Promise<string | undefined> {
    for (;;) {
      const line = (await this.#lines.next()).value as {
        step?: string;
        done?: GoSnapshot;
        failed?: { name: string };
      };
      if (line.step === step) return undefined;
      if (line.done !== undefined) return line.done.id;
      if (line.failed !== undefined) throw new Error(line.failed.name);
      this.goOn();
    }
  }

  goOn(): void {
    this.#process.send('go on');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

describe('beside Go writers', { skip: 'missing' in peer ? peer.missing : false }, () => {
  let go: GoSession;
  let root: string;
  let ours: Dataset<{ n: number }>;

  const open = (): Promise<Dataset<{ n: number }>> =>
    openDataset('d', { store: fsStore(root), codec: jsonl(), retry: { attempts: 5 } });

  function goCommit(): GoCommit {
    assert.ok(peer instanceof GoPeer);
    const spec = { root, dataset: 'd', codec: 'jsonl', records: [{ n: 0 }] };
    return new GoCommit(peer.spawn('write-in-steps', JSON.stringify(spec)));
  }

  async function history(): Promise<string[]> {
    const ids: string[] = [];
    for await (const { id } of ours.snapshots()) ids.push(id);
    return ids;
  }

  before(() => {
    assert.ok(peer instanceof GoPeer);
    go = peer.serve();
  });
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'lode-interop-'));
    ours = await open();
  });
  afterEach(() => rm(root, { recursive: true, force: true }));
  after(() => go[Symbol.asyncDispose]());

  it('a commit whose upload began before a Go commit that was rewound stays in the history', async () => {
    const first = await ours.write([{ n: 1 }]);
    let finish: () => void = () => {};
    const held = new Promise<void>((resolve) => (finish = resolve));
    const writing = ours.streamWriteRecords(
      (async function* () {
        yield { n: 2 };
        await held;
      })(),
    );

    // Go draws a larger id than ours, moves the pointer, and has it moved back by a mere reader.
    await using lost = goCommit();
    await lost.until('manifest');
    await go.request('latest', { root, dataset: 'd' });
    finish();
    const second = await writing;
    lost.goOn();
    const orphan = await lost.until('end');

    // The same again on top of ours: the reader scans, and settles on the largest id it finds.
    await using next = goCommit();
    await next.until('manifest');
    const healed = await go.request<GoSnapshot>('latest', { root, dataset: 'd' });
    next.goOn();
    await next.until('end');

    assert.notEqual(healed.id, orphan);
    assert.deepEqual(await history(), [second.id, first.id]);
  });

  it('a Go commit in flight is waited for, and built upon', async () => {
    await ours.write([{ n: 1 }]);
    await using theirs = goCommit();
    await theirs.until('manifest');
    const writing = ours.write([{ n: 2 }]);
    theirs.goOn();
    const middle = await theirs.until('end');
    const last = await writing;
    assert.equal(last.manifest.parentSnapshotId, middle);
    assert.equal((await go.request<GoSnapshot>('latest', { root, dataset: 'd' })).id, last.id);
  });

  it('a Go commit that died in flight is fenced, and neither side is stopped by it', async () => {
    assert.ok(peer instanceof GoPeer);
    const first = await ours.write([{ n: 1 }]);
    const spec = { root, dataset: 'd', codec: 'jsonl', records: [{ n: 0 }] };
    const dying = peer.spawn('write-in-steps', JSON.stringify(spec));
    const commit = new GoCommit(dying);
    await commit.until('manifest');
    await dying.kill();

    const hasty = await openDataset<{ n: number }>('d', {
      store: fsStore(root),
      codec: jsonl(),
      settleMs: 20,
    });
    const second = await hasty.write([{ n: 2 }]);
    assert.equal(second.manifest.parentSnapshotId, first.id);
    assert.deepEqual(await history(), [second.id, first.id]);
    const theirs = await go.request<GoSnapshot>('write', { ...spec });
    assert.equal(theirs.manifest.parent_snapshot_id, second.id);
    assert.deepEqual(await history(), [theirs.id, second.id, first.id]);
  });

  it('a Go commit fenced while in flight is refused, not acknowledged', async () => {
    await ours.write([{ n: 1 }]);
    await using late = goCommit();
    await late.until('manifest');
    const hasty = await openDataset<{ n: number }>('d', {
      store: fsStore(root),
      codec: jsonl(),
      settleMs: 20,
    });
    const second = await hasty.write([{ n: 2 }]);
    late.goOn();
    await assert.rejects(late.until('end'), { message: 'ErrPathExists' });
    assert.equal((await go.request<GoSnapshot>('latest', { root, dataset: 'd' })).id, second.id);
  });
});
