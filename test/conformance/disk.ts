/** What every Disk does, whatever it is made of. The fs store and the Journal rely on each of these. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import type { Disk, DiskFile } from '../../src/disk/disk.ts';
import { isLodeError } from '../../src/errors.ts';
import type { LodeErrorCode } from '../../src/errors.ts';
import { utf8Decode, utf8Encode } from '../../src/bytes/index.ts';

export interface DiskUnderTest {
  readonly disk: Disk;
  /** An empty directory. */
  readonly root: string;
  readonly cleanUp: () => Promise<void>;
}

export function diskConformance(name: string, make: () => Promise<DiskUnderTest>): void {
  const test = (title: string, run: (disk: Disk, root: string) => Promise<void>): void => {
    void it(title, async () => {
      const { disk, root, cleanUp } = await make();
      try {
        await run(disk, root);
      } finally {
        await cleanUp();
      }
    });
  };

  void describe(`disk: ${name}`, () => {
    files(test);
    names(test);
    directories(test);
    locks(test);
  });
}

type Test = (title: string, run: (disk: Disk, root: string) => Promise<void>) => void;

function files(test: Test): void {
  test('what was written is read back, and reads past the end are short', async (disk, root) => {
    const file = await disk.open(`${root}/a`, 'create');
    await file.write(utf8Encode('hello world'), 0);
    await file.write(utf8Encode('WORLD'), 6);
    await file.datasync();
    const into = new Uint8Array(20);
    assert.equal(await file.read(into, 6), 5);
    assert.equal(utf8Decode(into.subarray(0, 5)), 'WORLD');
    assert.equal(await file.read(into, 100), 0);
    await file.close();
    assert.equal(await textAt(disk, `${root}/a`), 'hello WORLD');
  });

  test('large transfers are complete', async (disk, root) => {
    const content = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
    const file = await disk.open(`${root}/a`, 'create');
    await file.write(content, 10);
    const into = new Uint8Array(content.length);
    assert.equal(await file.read(into, 10), content.length);
    assert.deepEqual(into, content);
    assert.equal((await file.info()).size, content.length + 10);
    await file.close();
  });

  test('the synchronous forms see and do the same', async (disk, root) => {
    const file = await disk.open(`${root}/a`, 'create');
    file.writeSync(utf8Encode('abc'), 2);
    file.datasyncSync();
    const into = new Uint8Array(8);
    assert.equal(file.readSync(into, 0), 5);
    assert.deepEqual([...into.subarray(0, 5)], [0, 0, 97, 98, 99]);
    assert.equal(await file.read(into, 3), 2);
    await file.close();
  });

  test('names change synchronously too, and to the same end', async (disk, root) => {
    const file = disk.openSync(`${root}/a`, 'create');
    file.writeSync(utf8Encode('abcdef'), 0);
    file.truncateSync(3);
    file.datasyncSync();
    file.closeSync();
    file.closeSync();
    assert.throws(
      () => file.truncateSync(0),
      (error) => isLodeError(error, 'LODE_CLOSED'),
    );
    disk.renameSync(`${root}/a`, `${root}/b`);
    disk.syncDirectorySync(root);
    assert.equal(disk.infoSync(`${root}/a`), undefined);
    assert.equal(disk.infoSync(`${root}/b`)?.size, 3);
    assert.equal(disk.infoSync(`${root}/b/c`), undefined);
    assert.equal(await textAt(disk, `${root}/b`), 'abc');
    const refused: readonly (readonly [LodeErrorCode, () => unknown])[] = [
      ['LODE_ALREADY_EXISTS', () => disk.openSync(`${root}/b`, 'create')],
      ['LODE_NOT_FOUND', () => disk.openSync(`${root}/a`, 'write')],
      ['LODE_NOT_FOUND', () => disk.renameSync(`${root}/a`, `${root}/c`)],
      ['LODE_NOT_FOUND', () => disk.syncDirectorySync(`${root}/none`)],
    ];
    for (const [code, call] of refused) assert.throws(call, (error) => isLodeError(error, code));
  });

  test('truncate cuts, and what grows again is zero', async (disk, root) => {
    const file = await disk.open(`${root}/a`, 'create');
    await file.write(utf8Encode('abcdef'), 0);
    await file.truncate(2);
    await file.truncate(4);
    const into = new Uint8Array(8);
    assert.equal(await file.read(into, 0), 4);
    assert.deepEqual([...into.subarray(0, 4)], [97, 98, 0, 0]);
    await file.close();
  });

  test('open modes', async (disk, root) => {
    await rejects(disk.open(`${root}/a`, 'read'), 'LODE_NOT_FOUND');
    await rejects(disk.open(`${root}/a`, 'write'), 'LODE_NOT_FOUND');
    await rejects(disk.open(`${root}/missing/a`, 'create'), 'LODE_NOT_FOUND');
    await (await disk.open(`${root}/a`, 'open-or-create')).close();
    await (await disk.open(`${root}/a`, 'open-or-create')).close();
    await rejects(disk.open(`${root}/a`, 'create'), 'LODE_ALREADY_EXISTS');
    await rejects(disk.open(`${root}/a/b`, 'create'), 'LODE_NOT_FOUND');
    await rejects(disk.open(root, 'write'), 'LODE_INVALID_ARGUMENT');
  });

  test('a closed file is closed, and closing twice is fine', async (disk, root) => {
    const file = await disk.open(`${root}/a`, 'create');
    await file.close();
    await file.close();
    await rejects(file.read(new Uint8Array(1), 0), 'LODE_CLOSED');
    await rejects(file.write(new Uint8Array(1), 0), 'LODE_CLOSED');
    await rejects(file.datasync(), 'LODE_CLOSED');
    assert.throws(
      () => file.writeSync(new Uint8Array(1), 0),
      (error) => isLodeError(error, 'LODE_CLOSED'),
    );
  });

  test('an open file outlives its name', async (disk, root) => {
    const file = await disk.open(`${root}/a`, 'create');
    await file.write(utf8Encode('abc'), 0);
    await disk.unlink(`${root}/a`);
    assert.equal(await file.read(new Uint8Array(3), 0), 3);
    await file.close();
    assert.equal(await disk.info(`${root}/a`), undefined);
  });
}

function names(test: Test): void {
  test('the time of a file can be set', async (disk, root) => {
    const file = await disk.open(`${root}/a`, 'create');
    await file.setModified(1_700_000_000_123_456_789n);
    const { modifiedNs } = await file.info();
    const off = modifiedNs - 1_700_000_000_123_456_789n;
    assert.ok(off > -1000n && off < 1000n, `off by ${off} ns`);
    await file.close();
  });

  test('rename replaces its target and keeps the inode', async (disk, root) => {
    await make(disk, `${root}/a`, 'new');
    await make(disk, `${root}/b`, 'old');
    const open = await disk.open(`${root}/b`, 'read');
    const inode = (await disk.info(`${root}/a`))?.inode;
    await disk.rename(`${root}/a`, `${root}/b`);
    assert.equal(await disk.info(`${root}/a`), undefined);
    assert.equal((await disk.info(`${root}/b`))?.inode, inode);
    assert.equal(await textAt(disk, `${root}/b`), 'new');
    assert.equal(await textOf(open), 'old');
    await open.close();
    await rejects(disk.rename(`${root}/a`, `${root}/c`), 'LODE_NOT_FOUND');
    await disk.makeDirectory(`${root}/d`);
    await rejects(disk.rename(`${root}/b`, `${root}/d`), 'LODE_INVALID_ARGUMENT');
  });

  test('link makes a second name for one file and never replaces', async (disk, root) => {
    await make(disk, `${root}/a`, 'one');
    await make(disk, `${root}/taken`, 'other');
    await rejects(disk.link(`${root}/a`, `${root}/taken`), 'LODE_ALREADY_EXISTS');
    await disk.link(`${root}/a`, `${root}/b`);
    const file = await disk.open(`${root}/a`, 'write');
    await file.write(utf8Encode('ONE'), 0);
    await file.close();
    await disk.unlink(`${root}/a`);
    assert.equal(await textAt(disk, `${root}/b`), 'ONE');
    assert.equal(await textAt(disk, `${root}/taken`), 'other');
    await rejects(disk.link(`${root}/a`, `${root}/c`), 'LODE_NOT_FOUND');
    await rejects(disk.link(`${root}/b`, `${root}/missing/c`), 'LODE_NOT_FOUND');
  });

  test('unlink removes names of files only', async (disk, root) => {
    await rejects(disk.unlink(`${root}/a`), 'LODE_NOT_FOUND');
    await make(disk, `${root}/a`, 'x');
    await rejects(disk.unlink(`${root}/a/b`), 'LODE_NOT_FOUND');
    await disk.unlink(`${root}/a`);
    assert.equal(await disk.info(`${root}/a`), undefined);
    await disk.makeDirectory(`${root}/d`);
    await rejects(disk.unlink(`${root}/d`), 'LODE_INVALID_ARGUMENT');
  });

  test('info tells kind, size, inode and time', async (disk, root) => {
    assert.equal(await disk.info(`${root}/a`), undefined);
    await make(disk, `${root}/a`, 'four');
    assert.equal(await disk.info(`${root}/a/b`), undefined);
    const info = await disk.info(`${root}/a`);
    assert.equal(info?.kind, 'file');
    assert.equal(info.size, 4);
    assert.ok(info.modifiedNs > 1_600_000_000_000_000_000n);
    await make(disk, `${root}/b`, 'four');
    assert.notEqual((await disk.info(`${root}/b`))?.inode, info.inode);
    assert.equal((await disk.info(root))?.kind, 'directory');
  });
}

function directories(test: Test): void {
  test('directories are made one at a time, listed, removed when empty', async (disk, root) => {
    await rejects(disk.makeDirectory(`${root}/d/e`), 'LODE_NOT_FOUND');
    assert.equal(await disk.makeDirectory(`${root}/d`), true);
    assert.equal(await disk.makeDirectory(`${root}/d`), false);
    await make(disk, `${root}/d/file`, '');
    await disk.makeDirectory(`${root}/d/inner`);
    const entries = (await disk.list(`${root}/d`)).map(({ name, kind }) => `${name} ${kind}`);
    assert.deepEqual(entries.sort(), ['file file', 'inner directory']);
    await disk.syncDirectory(`${root}/d`);
    await rejects(disk.removeDirectory(`${root}/d`), 'LODE_ALREADY_EXISTS');
    await disk.removeDirectory(`${root}/d/inner`);
    await disk.unlink(`${root}/d/file`);
    await disk.removeDirectory(`${root}/d`);
    assert.deepEqual(await disk.list(root), []);
  });

  test('a file is no directory', async (disk, root) => {
    await make(disk, `${root}/a`, 'x');
    await rejects(disk.makeDirectory(`${root}/a`), 'LODE_ALREADY_EXISTS');
    await rejects(disk.list(`${root}/a`), 'LODE_NOT_FOUND');
    await rejects(disk.list(`${root}/missing`), 'LODE_NOT_FOUND');
    await rejects(disk.syncDirectory(`${root}/missing`), 'LODE_NOT_FOUND');
    await rejects(disk.removeDirectory(`${root}/a`), 'LODE_NOT_FOUND');
    await rejects(disk.removeDirectory(`${root}/missing`), 'LODE_NOT_FOUND');
  });
}

function locks(test: Test): void {
  test('one holder at a time, also within one process', async (disk, root) => {
    const first = await disk.tryLock(`${root}/l`);
    assert.ok(first);
    assert.equal(await disk.tryLock(`${root}/l`), undefined);
    const other = await disk.tryLock(`${root}/m`);
    assert.ok(other);
    await first.release();
    await first.release();
    const second = await disk.tryLock(`${root}/l`);
    assert.ok(second);
    await first.release();
    assert.equal(await disk.tryLock(`${root}/l`), undefined);
    await second.release();
    await other.release();
    assert.equal((await disk.info(`${root}/l`))?.kind, 'file');
    await rejects(disk.tryLock(`${root}/missing/l`), 'LODE_NOT_FOUND');
  });
}

async function make(disk: Disk, path: string, text: string): Promise<void> {
  const file = await disk.open(path, 'create');
  await file.write(utf8Encode(text), 0);
  await file.close();
}

async function textAt(disk: Disk, path: string): Promise<string | undefined> {
  const file = await disk.open(path, 'read');
  try {
    return await textOf(file);
  } finally {
    await file.close();
  }
}

async function textOf(file: DiskFile): Promise<string | undefined> {
  const into = new Uint8Array((await file.info()).size);
  return utf8Decode(into.subarray(0, await file.read(into, 0)));
}

function rejects(work: Promise<unknown>, code: LodeErrorCode): Promise<void> {
  return assert.rejects(work, (error) => {
    assert.ok(isLodeError(error, code), String(error));
    return true;
  });
}
