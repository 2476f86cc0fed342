/** At risk: the persistence model. Each outcome that power-loss studies name must be among the states, and no other. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Disk } from '../../src/disk/disk.ts';
import type { DiskImage, ImageNode } from '../../src/disk/image.ts';
import {
  crashStates,
  faultyDisk,
  memoryDisk,
  recordingDisk,
  type RecordingDisk,
} from '../../src/testing/index.ts';

const text = (bytes: Uint8Array): string => new TextDecoder('latin1').decode(bytes);

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : 1);

/** A disk in one line: paths with their content, directories with a slash. */
function show(image: DiskImage): string {
  const parts: string[] = [];
  const visit = (node: ImageNode, path: string): void => {
    if (node.kind === 'file') return void parts.push(`${path}=${text(node.bytes)}`);
    if (path !== '') parts.push(`${path}/`);
    for (const [name, child] of [...node.entries].sort(byName))
      visit(child, `${path}${path && '/'}${name}`);
  };
  visit(image, '');
  return parts.join(' ');
}

async function write(disk: Disk, path: string, content: string, sync: boolean): Promise<void> {
  const file = await disk.open(path, 'open-or-create');
  await file.write(new TextEncoder().encode(content), 0);
  if (sync) await file.datasync();
  await file.close();
}

/** The one state a crash can leave now that everything is durable. */
function durable(disk: RecordingDisk): DiskImage {
  const from = disk.recording.entries.length;
  const [only, ...others] = crashStates(disk.recording, { from });
  assert.ok(only);
  assert.deepEqual(others, []);
  return only.image;
}

/** Everything that may be found after a crash at the very end of `work`, which starts from what `before` made durable. */
async function left(
  work: (disk: Disk) => Promise<void>,
  before: (disk: Disk) => Promise<void> = async () => {},
): Promise<string[]> {
  const first = recordingDisk();
  await before(first);
  const disk = recordingDisk({ image: durable(first) });
  await work(disk);
  const from = disk.recording.entries.length;
  return [...crashStates(disk.recording, { from })].map(({ image }) => show(image)).sort();
}

const oldFile = async (disk: Disk): Promise<void> => {
  await write(disk, '/a', 'old', true);
  await disk.syncDirectory('/');
};

const emptyFile = async (disk: Disk): Promise<void> => {
  await write(disk, '/a', '', true);
  await disk.syncDirectory('/');
};

describe('after a power loss', () => {
  it('a synced name without synced bytes holds nothing, a part, zeros or garbage', async () => {
    const states = await left(async (disk) => {
      await write(disk, '/a', 'abcd', false);
      await disk.syncDirectory('/');
    });
    const garbage = text(new Uint8Array([0xa5, 0xa4, 0xa7, 0xa6]));
    assert.deepEqual(
      states,
      ['a=', 'a=\0\0\0\0', 'a=a', 'a=ab', 'a=abc', 'a=abcd', `a=${garbage}`].sort(),
    );
  });

  it('synced bytes without a synced name are whole or gone', async () => {
    const states = await left((disk) => write(disk, '/a', 'abcd', true));
    assert.deepEqual(states, ['', 'a=abcd']);
  });

  it('a rename shows the old content or the new, never both and never neither', async () => {
    const states = await left(async (disk) => {
      await write(disk, '/b', 'new', true);
      await disk.syncDirectory('/');
      await disk.rename('/b', '/a');
    }, oldFile);
    assert.deepEqual(states, ['a=new', 'a=old b=new']);
  });

  it('a rename may be there before the bytes it publishes', async () => {
    const states = await left(async (disk) => {
      await write(disk, '/b', 'new', false);
      await disk.rename('/b', '/a');
    }, oldFile);
    assert.ok(states.includes('a='));
    assert.ok(states.includes('a=old b=new'));
  });

  it('a rename between directories may show both names, and loses neither', async () => {
    const states = await left(
      async (disk) => {
        await disk.rename('/x/f', '/y/g');
        await disk.syncDirectory('/y');
      },
      async (disk) => {
        for (const path of ['/x', '/y']) await disk.makeDirectory(path);
        await write(disk, '/x/f', '1', true);
        for (const path of ['/', '/x']) await disk.syncDirectory(path);
      },
    );
    assert.deepEqual(states, ['x/ x/f=1 y/ y/g=1', 'x/ y/ y/g=1']);
  });

  it('a new directory is lost with everything in it until its parent is synced', async () => {
    const work = async (disk: Disk): Promise<void> => {
      await disk.makeDirectory('/d');
      await write(disk, '/d/a', '1', true);
      await disk.syncDirectory('/d');
    };
    assert.deepEqual(await left(work), ['', 'd/ d/a=1']);
    const synced = await left(async (disk) => {
      await work(disk);
      await disk.syncDirectory('/');
    });
    assert.deepEqual(synced, ['d/ d/a=1']);
  });

  it('a write is cut at every sector and just inside its ends', async () => {
    const states = await left(
      async (disk) => write(disk, '/a', 'x'.repeat(1100), false),
      emptyFile,
    );
    const lengths = states.map((state) => /^a=(x*)$/.exec(state)?.[1]?.length).filter(Number);
    assert.deepEqual(
      [...new Set(lengths)].sort((a, b) => Number(a) - Number(b)),
      [1, 512, 550, 1024, 1099, 1100],
    );
  });

  it('an overwrite in place leaves old and new bytes side by side', async () => {
    const states = await left((disk) => write(disk, '/a', 'NEW', false), oldFile);
    assert.deepEqual(states, ['a=NEW', 'a=NEd', 'a=Nld', 'a=old']);
  });

  it('what a failed datasync lost stays lost, though the next one says yes', async () => {
    const disk = recordingDisk();
    const faulty = faultyDisk(disk, { on: 'sync', at: 0, kind: 'EIO', times: 'once' });
    const file = await faulty.open('/a', 'create');
    await file.write(new Uint8Array([65]), 0);
    await assert.rejects(file.datasync(), { code: 'LODE_UNAVAILABLE' });
    await file.datasync();
    await faulty.syncDirectory('/');
    assert.equal(faulty.retriedSyncs, 1);
    const from = disk.recording.entries.length;
    const states = [...crashStates(disk.recording, { from })].map(({ image }) => show(image));
    assert.ok(states.includes('a='));
  });

  it('an image is never changed by a disk that starts from it', async () => {
    const disk = recordingDisk();
    await oldFile(disk);
    const image = durable(disk);
    await write(memoryDisk({ image }), '/a', 'new and longer', true);
    assert.equal(show(image), 'a=old');
  });
});

describe('enumeration', () => {
  it('covers every point, gives each state once, and repeats with its seed', async () => {
    const disk = recordingDisk();
    for (let i = 0; i < 8; i++) await write(disk, `/${i}`, 'some content', i % 2 === 0);
    disk.mark('done');
    const run = crashStates(disk.recording, { seed: 7, samples: 64 });
    const states = [...run];
    assert.equal(run.counts.points, disk.recording.entries.length + 1);
    assert.equal(run.counts.states, states.length);
    assert.ok(run.counts.outcomes > states.length);
    const keys = states.map(({ image, marks }) => `${marks.length} ${show(image)}`);
    assert.equal(new Set(keys).size, keys.length);
    const again = [...crashStates(disk.recording, { seed: 7, samples: 64 })];
    assert.deepEqual(
      again.map(({ image }) => show(image)),
      states.map(({ image }) => show(image)),
    );
  });
});
