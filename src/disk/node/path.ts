/** What users call a folder, as the path the Disk takes. No I/O. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LodeError } from '../../errors.ts';
import { kindOf } from '../../options.ts';

/** Absolute and with `/`, so that a later change of the working directory moves nothing. */
export function absolutePath(location: string | URL): string {
  // Where a name was left out, the working directory is not what was meant.
  const isFile = location instanceof URL ? location.protocol === 'file:' : location !== '';
  if (!isFile || !(location instanceof URL || typeof location === 'string')) {
    throw new LodeError('LODE_INVALID_ARGUMENT', 'this is not the path of a file or directory', {
      field: 'path',
      expected: 'a path, or a file: URL',
      actual: location === '' ? 'an empty string' : kindOf(location),
    });
  }
  const path = resolve(typeof location === 'string' ? location : fileURLToPath(location));
  return process.platform === 'win32' ? path.replaceAll('\\', '/') : path;
}
