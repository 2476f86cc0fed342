/**
 * Work written once and run in two ways: off the calling thread, or on it. It yields what takes long and goes on when that is
 * done, so both ways do the same things in the same order, which is what a crash leaves something good after.
 */
import type { Disk, DiskFile } from '../../disk/disk.ts';

/** Something that takes long, in both forms. */
export interface Wait {
  now(): void;
  later(): Promise<void>;
}

export type Steps<T = void> = Generator<Wait, T, void>;

/** Waits for a sync, or for several; what it makes of a failure is up to whoever gives it. */
export type Syncing = (sync: Wait | Steps) => Steps;

export async function run<T>(steps: Steps<T>): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    try {
      await step.value.later();
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next();
  }
  return step.value;
}

export function runSync<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) {
    try {
      step.value.now();
    } catch (error) {
      step = steps.throw(error);
      continue;
    }
    step = steps.next();
  }
  return step.value;
}

export function dataOf(file: DiskFile): Wait {
  return { now: () => file.datasyncSync(), later: () => file.datasync() };
}

export function namesIn(disk: Disk, dir: string): Wait {
  return { now: () => disk.syncDirectorySync(dir), later: () => disk.syncDirectory(dir) };
}
