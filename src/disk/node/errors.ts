/** From the system's error numbers to `LodeError`: what the caller can do, with the path and the system's own words. */
import { isLodeError, LodeError } from '../../errors.ts';
import type { LodeErrorCode } from '../../errors.ts';

const codes: Readonly<Record<string, LodeErrorCode>> = {
  ENOENT: 'LODE_NOT_FOUND',
  // A path that leads through a file names nothing.
  ENOTDIR: 'LODE_NOT_FOUND',
  EEXIST: 'LODE_ALREADY_EXISTS',
  ENOTEMPTY: 'LODE_ALREADY_EXISTS',
  EISDIR: 'LODE_INVALID_ARGUMENT',
  EINVAL: 'LODE_INVALID_ARGUMENT',
  ENAMETOOLONG: 'LODE_INVALID_ARGUMENT',
  EACCES: 'LODE_PERMISSION_DENIED',
  EPERM: 'LODE_PERMISSION_DENIED',
  ELOOP: 'LODE_PERMISSION_DENIED',
  EROFS: 'LODE_READ_ONLY',
  ENOSPC: 'LODE_STORAGE_FULL',
  EDQUOT: 'LODE_STORAGE_FULL',
  EFBIG: 'LODE_STORAGE_FULL',
  EXDEV: 'LODE_UNSUPPORTED',
  ENOSYS: 'LODE_UNSUPPORTED',
  ENOTSUP: 'LODE_UNSUPPORTED',
  EOPNOTSUPP: 'LODE_UNSUPPORTED',
};

const nextSteps: Readonly<Record<string, string>> = {
  ELOOP: 'Remove the symbolic link: files of a store are never reached through one.',
  EMFILE: 'Raise the limit of open files, or close some.',
  ENFILE: 'Raise the limit of open files of the machine, or close some.',
  EIO: 'Check the disk; what was being written is not durable.',
};

/** EIO, EMFILE, EBUSY, ENOMEM, ESTALE and what we do not know may pass by themselves: `LODE_UNAVAILABLE`. */
export function diskError(error: unknown, doing: string, path: string): LodeError {
  if (isLodeError(error)) return error;
  const number = errorNumber(error);
  const next = nextSteps[number];
  return new LodeError(
    codes[number] ?? 'LODE_UNAVAILABLE',
    `cannot ${doing}: ${number === '' ? String(error) : number}`,
    next === undefined ? { key: path } : { key: path, next },
    { cause: error },
  );
}

/** `ENOENT` and the like; empty when it is not an error of the system. */
export function errorNumber(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' ? code : '';
}

/** Runs a synchronous system call and translates what it throws. */
export function call<T>(doing: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw diskError(error, doing, path);
  }
}
