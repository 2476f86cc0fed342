/** A directory in which a journal is restored, or taken back to an earlier point, has a note in it; nobody opens it until that is gone. */
import type { Disk } from '../../disk/disk.ts';
import { LodeError } from '../../errors.ts';
import { assertDirectory } from '../wal/open.ts';

export const restoringName = 'restoring';
export const rewindingName = 'rewinding';

export async function assertRestored(
  disk: Disk,
  dir: string,
  names: readonly string[] = [restoringName, rewindingName],
): Promise<void> {
  await assertDirectory(disk, dir);
  for (const name of names) {
    if ((await disk.info(`${dir}/${name}`)) === undefined) continue;
    throw new LodeError('LODE_TRUNCATED', 'this journal has not been restored to its end', {
      key: `${dir}/${name}`,
      next:
        name === restoringName
          ? 'Repeat the restoration: it goes on where it broke off.'
          : 'Repeat recover() with the same `until`: it goes on where it broke off.',
    });
  }
}
