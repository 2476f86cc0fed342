/**
 * The smallest store that survives power loss, in one directory, and the mistakes a store can make: the laboratory must
 * pass the first and catch each of the others.
 */
import { byteSource, collect } from '../../src/bytes/index.ts';
import type { Disk, DiskFile } from '../../src/disk/disk.ts';
import type { Env } from '../../src/env.ts';
import { isLodeError, LodeError } from '../../src/errors.ts';
import type {
  ObjectInfo,
  PutOptions,
  PutResult,
  Store,
  StoredObject,
} from '../../src/store/store.ts';

export type Mistake =
  | 'no datasync'
  | 'no directory sync'
  | 'no sync of the parent'
  | 'publishes before datasync'
  | 'writes in place'
  | 'retries a failed sync'
  | 'swallows a failed sync';

const root = '/data/objects';
const staging = '/data/staging';

export const toyPaths = {
  pathOf: (key: string): string => `${root}/${key}`,
  keyOf: (path: string): string | undefined =>
    path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined,
};

/** Only what scripts call: whole bodies, no conditions but `create`. */
export async function toyStore(disk: Disk, env: Env, mistake?: Mistake): Promise<Store> {
  const is = (which: Mistake): boolean => which === mistake;
  await attempt(async () => {
    for (const path of ['/data', staging, root]) await disk.makeDirectory(path);
  });

  async function put(key: string, body: Uint8Array, options: PutOptions): Promise<PutResult> {
    const { mode = 'create', beforePublish } = options;
    const path = toyPaths.pathOf(key);
    if (!is('no sync of the parent')) {
      await disk.syncDirectory('/');
      await disk.syncDirectory('/data');
    }
    const staged = is('writes in place') ? path : `${staging}/${env.id()}`;
    const file = await disk.open(staged, 'open-or-create');
    try {
      await file.write(body, 0);
      await file.truncate(body.length);
      if (!is('no datasync') && !is('publishes before datasync')) await sync(file);
      await beforePublish?.();
      if (staged !== path && mode === 'create') {
        try {
          await disk.link(staged, path);
        } catch (error) {
          if (isLodeError(error, 'LODE_ALREADY_EXISTS')) return { outcome: 'conflict' };
          throw error;
        } finally {
          await attempt(() => disk.unlink(staged));
        }
      } else if (staged !== path) await disk.rename(staged, path);
      if (is('publishes before datasync')) await sync(file);
    } finally {
      await file.close();
    }
    await syncNames(key);
    return { outcome: 'stored', etag: '' };
  }

  async function sync(file: DiskFile): Promise<void> {
    try {
      await file.datasync();
    } catch (error) {
      if (is('swallows a failed sync')) return;
      if (!is('retries a failed sync')) throw error;
      await file.datasync();
    }
  }

  async function syncNames(key: string): Promise<void> {
    if (is('no directory sync')) return;
    await disk.syncDirectory(root).catch((cause: unknown) => {
      const resolve = async (): Promise<'landed'> => 'landed';
      throw new LodeError('LODE_WRITE_UNCERTAIN', 'not synced', { key, resolve }, { cause });
    });
  }

  return {
    put: async (key, body, options = {}) =>
      put(key, await collect(byteSource(body).stream(), 1 << 20, { key }), options),
    async get(key) {
      const bytes = await read(disk, toyPaths.pathOf(key));
      return bytes && ({ key, bytes: async () => bytes } as Partial<StoredObject> as StoredObject);
    },
    async head(key) {
      const info = await disk.info(toyPaths.pathOf(key));
      return info && ({ key, etag: '' } as Partial<ObjectInfo> as ObjectInfo);
    },
    async *list() {
      const present = await disk.info(root);
      for (const { name } of present ? await disk.list(root) : []) {
        yield { key: name } as Partial<ObjectInfo> as ObjectInfo;
      }
    },
    async delete(key) {
      await disk.unlink(toyPaths.pathOf(String(key)));
      await syncNames(String(key));
      return [{ key: String(key), outcome: 'deleted' }];
    },
  } as Partial<Store> as Store;
}

/** For what need not succeed. */
async function attempt(work: () => Promise<void>): Promise<void> {
  await work().catch(() => undefined);
}

async function read(disk: Disk, path: string): Promise<Uint8Array | undefined> {
  const info = await disk.info(path);
  if (info === undefined) return undefined;
  const file = await disk.open(path, 'read');
  const bytes = new Uint8Array(info.size);
  await file.read(bytes, 0);
  await file.close();
  return bytes;
}
