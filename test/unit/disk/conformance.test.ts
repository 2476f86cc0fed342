/** Every Disk of ours passes the same suite. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryDisk } from '../../../src/disk/memory.ts';
import { nodeDisk } from '../../../src/disk/node/index.ts';
import { flockLock, processLock } from '../../../src/disk/node/lock.ts';
import type { LockMechanism } from '../../../src/disk/node/lock.ts';
import { flockByLibrary, flockByProgram } from '../../../src/disk/node/flock.ts';
import { diskConformance } from '../../conformance/disk.ts';

diskConformance('memory', async () => {
  const disk = memoryDisk();
  await disk.makeDirectory('/root');
  return { disk, root: '/root', cleanUp: async () => {} };
});

const always = (): boolean => true;
const mechanisms: readonly (readonly [string, LockMechanism | undefined])[] = [
  ['node', undefined],
  ['node, locks of the process', processLock()],
  ...(process.platform === 'linux'
    ? ([
        ['node, flock by koffi', flockLock(flockByLibrary, always)],
        ['node, flock by the program', flockLock(flockByProgram, always)],
      ] as const)
    : []),
];
for (const [name, lock] of mechanisms) {
  diskConformance(name, async () => {
    const root = await mkdtemp(join(tmpdir(), 'lode-disk-'));
    const disk = nodeDisk(lock === undefined ? {} : { lock });
    return { disk, root, cleanUp: () => rm(root, { recursive: true }) };
  });
}
