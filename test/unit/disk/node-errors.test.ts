/** At risk: a full or read-only disk that looks like a bug, and files outside a store reached through what lies in it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { nodeDisk } from '../../../src/disk/node/index.ts';
import { diskError } from '../../../src/disk/node/errors.ts';
import { LodeError, isLodeError } from '../../../src/errors.ts';
import type { LodeErrorCode } from '../../../src/errors.ts';

const disk = nodeDisk();
const root = mkdtempSync(join(tmpdir(), 'lode-errors-'));
after(() => rmSync(root, { recursive: true }));
const unix = { skip: process.platform === 'win32' && 'POSIX only' };

const table: readonly (readonly [string, LodeErrorCode])[] = [
  ['ENOENT', 'LODE_NOT_FOUND'],
  ['ENOTDIR', 'LODE_NOT_FOUND'],
  ['EEXIST', 'LODE_ALREADY_EXISTS'],
  ['EISDIR', 'LODE_INVALID_ARGUMENT'],
  ['EACCES', 'LODE_PERMISSION_DENIED'],
  ['EPERM', 'LODE_PERMISSION_DENIED'],
  ['ELOOP', 'LODE_PERMISSION_DENIED'],
  ['EROFS', 'LODE_READ_ONLY'],
  ['ENOSPC', 'LODE_STORAGE_FULL'],
  ['EDQUOT', 'LODE_STORAGE_FULL'],
  ['EXDEV', 'LODE_UNSUPPORTED'],
  ['EIO', 'LODE_UNAVAILABLE'],
  ['EMFILE', 'LODE_UNAVAILABLE'],
  ['EWHATEVER', 'LODE_UNAVAILABLE'],
];

void describe('errors of the node disk', () => {
  for (const [number, code] of table) {
    void it(`${number} is ${code}, with path and cause`, () => {
      const cause = Object.assign(new Error(number), { code: number });
      const error = diskError(cause, 'write', '/some/path');
      assert.equal(error.code, code);
      assert.equal(error.details.key, '/some/path');
      assert.equal(error.cause, cause);
      assert.match(error.message, new RegExp(number));
    });
  }

  void it('a LodeError is passed on as it is', () => {
    const error = new LodeError('LODE_CLOSED', 'closed', {});
    assert.equal(diskError(error, 'write', '/p'), error);
  });

  void it(
    'a full device is LODE_STORAGE_FULL, in both forms of write',
    {
      skip: process.platform !== 'linux' && 'needs /dev/full',
    },
    async () => {
      const file = await disk.open('/dev/full', 'write');
      const full = (error: unknown): boolean => isLodeError(error, 'LODE_STORAGE_FULL');
      await assert.rejects(file.write(new Uint8Array(10), 0), full);
      await assert.rejects(file.write(new Uint8Array(200_000), 0), full);
      await file.close();
    },
  );

  void it(
    'syncs reach the machine, in both forms: where there is nothing to sync it says so',
    {
      skip: process.platform !== 'linux' && 'needs /dev/null and /proc',
    },
    async () => {
      const said =
        (what: string) =>
        (error: unknown): boolean =>
          isLodeError(error, 'LODE_INVALID_ARGUMENT') && error.message.includes(`cannot ${what}`);
      const file = await disk.open('/dev/null', 'write');
      await assert.rejects(file.datasync(), said('sync: EINVAL'));
      assert.throws(() => file.datasyncSync(), said('sync: EINVAL'));
      await file.close();
      await assert.rejects(disk.syncDirectory('/proc'), said('sync a directory: EINVAL'));
      assert.throws(() => disk.syncDirectorySync('/proc'), said('sync a directory: EINVAL'));
    },
  );

  void it('no symbolic link is followed as the last part', unix, async () => {
    writeFileSync(join(root, 'target'), 'x');
    symlinkSync(join(root, 'target'), join(root, 'link'));
    const refused = (error: unknown): boolean => isLodeError(error, 'LODE_PERMISSION_DENIED');
    await assert.rejects(disk.open(join(root, 'link'), 'read'), refused);
    await assert.rejects(disk.open(join(root, 'link'), 'write'), refused);
    await assert.rejects(disk.open(join(root, 'link'), 'open-or-create'), refused);
    await assert.rejects(disk.tryLock(join(root, 'link')), refused);
    assert.equal((await disk.info(join(root, 'link')))?.kind, 'other');
  });

  void it('a FIFO does not hang an open', unix, async () => {
    execFileSync('mkfifo', [join(root, 'fifo')]);
    const file = await disk.open(join(root, 'fifo'), 'read');
    assert.equal((await file.info()).kind, 'other');
    await file.close();
  });
});
