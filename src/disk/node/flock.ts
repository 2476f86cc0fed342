/**
 * `flock(2)`, which Node does not offer: a non-blocking exclusive lock on an open descriptor.
 *
 * `koffi` calls the C library in a microsecond. Without it the `flock` program of util-linux or busybox takes the lock on
 * a descriptor it inherits: the lock belongs to the open file description that both share, so it stays with us when the
 * program ends, and ends with us when we are killed. That costs a process start, a few milliseconds.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import { LodeError } from '../../errors.ts';

/** True when the lock was taken, false when another holder has it. */
export type Flock = (descriptor: number, path: string) => Promise<boolean>;

/** LOCK_EX | LOCK_NB */
const exclusiveNow = 2 | 4;
const EINTR = 4;
const EAGAIN = 11;
/** The program's exit status for "somebody else has it". */
const refused = 1;

interface CLibrary {
  flock(descriptor: number, operation: number): number;
  errno(): number;
}

/** Undefined until looked for, null once we know that there is none. */
let library: CLibrary | null | undefined;
let program: string | null | undefined;

/** Whether this machine has a way to call `flock(2)`. Loads koffi only when there is no program. */
export function canFlock(): boolean {
  return flockProgram() !== null || cLibrary() !== null;
}

/** By koffi, else by the program. */
export const flock: Flock = (descriptor, path) =>
  cLibrary() === null ? flockByProgram(descriptor, path) : flockByLibrary(descriptor, path);

export const flockByLibrary: Flock = async (descriptor, path) => {
  const c = cLibrary();
  if (c === null) throw unable(path, 'koffi cannot be loaded');
  for (;;) {
    if (c.flock(descriptor, exclusiveNow) === 0) return true;
    const errno = c.errno();
    if (errno === EAGAIN) return false;
    if (errno !== EINTR) throw unable(path, `flock failed with errno ${errno}`);
  }
};

export const flockByProgram: Flock = (descriptor, path) => {
  const file = flockProgram();
  if (file === null) throw unable(path, 'there is no flock program');
  return new Promise((resolve, reject) => {
    const child = spawn(file, ['-x', '-n', '3'], {
      stdio: ['ignore', 'ignore', 'ignore', descriptor],
    });
    child.once('error', (error) => reject(unable(path, 'the flock program did not start', error)));
    child.once('exit', (status, signal) => {
      if (status === 0) resolve(true);
      else if (status === refused) resolve(false);
      else reject(unable(path, `the flock program ended with ${status ?? signal}`));
    });
  });
};

function cLibrary(): CLibrary | null {
  if (library === undefined) library = loadLibrary();
  return library;
}

/** Synchronous, since the scope of our locks is asked for synchronously; `import()` would not do. */
function loadLibrary(): CLibrary | null {
  try {
    const koffi = createRequire(import.meta.url)('koffi') as {
      load(path: null): { func(declaration: string): CLibrary['flock'] };
      errno(): number;
    };
    const call = koffi.load(null).func('int flock(int descriptor, int operation)');
    return { flock: call, errno: () => koffi.errno() };
  } catch {
    // Not installed, or no binary for this platform.
    return null;
  }
}

function flockProgram(): string | null {
  if (program !== undefined) return program;
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '');
  program =
    [...folders, '/usr/bin', '/bin'].map((folder) => `${folder}/flock`).find(canRun) ?? null;
  return program;
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function unable(path: string, what: string, cause?: unknown): LodeError {
  return new LodeError(
    'LODE_UNAVAILABLE',
    `cannot lock: ${what}`,
    { key: path, next: 'Check that the file system supports flock(2), or install koffi.' },
    { cause },
  );
}
