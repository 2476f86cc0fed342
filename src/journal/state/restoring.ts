/** A directory into which a journal is being restored has a note in it; nobody opens it until that is gone. */
import type { Disk } from '../../disk/disk.ts';
import { LodeError } from '../../errors.ts';
import { assertDirectory } from '../wal/open.ts';

export const restoringName = 'restoring';

export async function assertRestored(disk: Disk, dir: string): Promise<void> {
  await assertDirectory(disk, dir);
  if ((await disk.info(`${dir}/${restoringName}`)) === undefined) return;
  throw new LodeError('LODE_TRUNCATED', 'this journal has not been restored to its end', {
    key: `${dir}/${restoringName}`,
    next: 'Repeat the restoration: it goes on where it broke off.',
  });
}
