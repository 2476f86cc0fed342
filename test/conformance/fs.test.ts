/** At risk: the contract of the Store seam, on stores in directories of both disks. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { memoryDisk } from '../../src/disk/memory.ts';
import { nodeDisk } from '../../src/disk/node/index.ts';
import { fsStore } from '../../src/fs.ts';
import { storeConformance } from '../../src/testing/index.ts';

storeConformance({
  name: 'fs',
  test,
  async open() {
    const root = await mkdtemp(join(tmpdir(), 'lode-fs-'));
    return {
      store: fsStore(root, { durability: 'none' }),
      // A disk of its own, so that nothing but the lock file keeps the two apart.
      another: async () => fsStore(root, { durability: 'none', disk: nodeDisk() }),
      close: () => rm(root, { recursive: true }),
    };
  },
});

storeConformance({
  name: 'fs in memory, durable',
  test,
  async open() {
    const disk = memoryDisk();
    await disk.makeDirectory('/root');
    return { store: fsStore('/root', { disk }), another: async () => fsStore('/root', { disk }) };
  },
});
