/** At risk: two writers of one pointer at once, or one that waits for a process that is long gone. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { nodeDisk } from '../../../src/disk/node/index.ts';
import { flockByLibrary, flockByProgram } from '../../../src/disk/node/flock.ts';
import type { Flock } from '../../../src/disk/node/flock.ts';
import { flockLock } from '../../../src/disk/node/lock.ts';
import type { Disk } from '../../../src/disk/disk.ts';

const always = (): boolean => true;
const linux = { skip: process.platform !== 'linux' && 'flock(2) from Node is for Linux' };
const mechanisms: readonly (readonly [string, Flock])[] = [
  ['koffi', flockByLibrary],
  ['the program', flockByProgram],
];

for (const [name, take] of mechanisms) {
  void describe(`flock by ${name}`, linux, () => {
    const disk = nodeDisk({ lock: flockLock(take, always) });

    void it('a peer that holds flock(2) keeps us out until it ends', () =>
      inFolder(async (path) => {
        const holder = spawn('flock', ['-x', path, 'sh', '-c', 'echo held; exec cat'], {
          stdio: ['pipe', 'pipe', 'inherit'],
        });
        await once(holder.stdout, 'data');
        assert.equal(await disk.tryLock(path), undefined);
        holder.stdin.end();
        await once(holder, 'exit');
        const lock = await disk.tryLock(path);
        assert.ok(lock);
        await lock.release();
      }));

    void it('we keep a peer out until we release', () =>
      inFolder(async (path) => {
        const lock = await disk.tryLock(path);
        assert.ok(lock);
        assert.equal(await peerCanLock(path), false);
        await lock.release();
        assert.equal(await peerCanLock(path), true);
      }));

    void it('a holder killed outright blocks nobody', () =>
      inFolder(async (path) => {
        const holder = await holdInChild(name, path);
        assert.equal(await disk.tryLock(path), undefined);
        holder.kill('SIGKILL');
        await once(holder, 'exit');
        const lock = await disk.tryLock(path);
        assert.ok(lock);
        await lock.release();
      }));

    void it('a child started while we hold the lock does not keep it for us', () =>
      inFolder(async (path) => {
        const lock = await disk.tryLock(path);
        const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
        await once(child, 'spawn');
        await lock?.release();
        assert.equal(await peerCanLock(path), true);
        child.stdin.end();
        await once(child, 'exit');
      }));
  });
}

void describe('the choice of mechanism', () => {
  void it('is machine-wide here and says so', linux, () => {
    assert.equal(nodeDisk().lockScope, 'machine');
  });

  void it('is this process, said plainly, where flock(2) cannot be called', () =>
    inFolder(async (path) => {
      const never = (): boolean => false;
      const disk: Disk = nodeDisk({ lock: flockLock(flockByLibrary, never) });
      assert.equal(disk.lockScope, 'process');
      const lock = await disk.tryLock(path);
      assert.ok(lock);
      assert.equal(
        await nodeDisk({ lock: flockLock(flockByLibrary, never) }).tryLock(path),
        undefined,
      );
      await lock.release();
    }));

  void it('both Linux mechanisms exclude each other', linux, () =>
    inFolder(async (path) => {
      const a = nodeDisk({ lock: flockLock(flockByLibrary, always) });
      const b = nodeDisk({ lock: flockLock(flockByProgram, always) });
      const lock = await a.tryLock(path);
      assert.equal(await b.tryLock(path), undefined);
      await lock?.release();
      const other = await b.tryLock(path);
      assert.ok(other);
      assert.equal(await a.tryLock(path), undefined);
      await other.release();
    }),
  );
});

async function inFolder(run: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'lode-lock-'));
  try {
    await run(join(folder, 'pointer.lock'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function peerCanLock(path: string): Promise<boolean> {
  const child = spawn('flock', ['-x', '-n', path, 'true'], { stdio: 'ignore' });
  const [status] = (await once(child, 'exit')) as [number];
  return status === 0;
}

/** Another Node process of ours that holds the lock by the mechanism named, and then just waits. */
async function holdInChild(name: string, path: string): Promise<ReturnType<typeof spawn>> {
  const at = (file: string): string =>
    new URL(`../../../src/disk/node/${file}.js`, import.meta.url).href;
  const take = name === 'koffi' ? 'flockByLibrary' : 'flockByProgram';
  const script = `
    const { flockLock } = await import(${JSON.stringify(at('lock'))});
    const { ${take} } = await import(${JSON.stringify(at('flock'))});
    const lock = await flockLock(${take}, () => true).tryLock(${JSON.stringify(path)});
    console.log(lock === undefined ? 'refused' : 'held');
    process.stdin.resume();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  assert.equal(said.toString().trim(), 'held');
  return child;
}
