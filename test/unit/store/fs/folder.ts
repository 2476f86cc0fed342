/** Stores to test with: in a folder of the machine that is removed again, and in memory. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { memoryDisk } from '../../../../src/disk/memory.ts';
import { isLodeError } from '../../../../src/errors.ts';
import type { LodeErrorCode } from '../../../../src/errors.ts';
import { utf8Decode } from '../../../../src/bytes/index.ts';
import { fsStore, type FsStoreOptions } from '../../../../src/fs.ts';
import type { Store } from '../../../../src/store/store.ts';

/** Runs `work` with a new folder; `store` is in `folder/root`. */
export async function inFolder(
  work: (store: Store, root: string, folder: string) => Promise<void>,
  options: FsStoreOptions = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lode-fs-'));
  const root = join(folder, 'root');
  mkdirSync(root);
  try {
    await work(fsStore(root, options), root, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function inMemory(options: FsStoreOptions = {}): Promise<Store> {
  const disk = memoryDisk();
  await disk.makeDirectory('/root');
  return fsStore('/root', { disk, ...options });
}

/** Every name below a folder, hidden ones too. */
export function namesBelow(folder: string): string[] {
  return (readdirSync(folder, { recursive: true }) as string[]).sort();
}

export async function textAt(store: Store, key: string): Promise<string | undefined> {
  const object = await store.get(key);
  return object && utf8Decode(await object.bytes());
}

export async function keysOf(store: Store, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

export function rejects(work: Promise<unknown>, ...codes: LodeErrorCode[]): Promise<void> {
  return assert.rejects(work, (error) => {
    assert.ok(isLodeError(error, ...codes), String(error));
    return true;
  });
}
