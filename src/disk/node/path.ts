/** What users call a folder, as the path the Disk takes. No I/O. */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Absolute and with `/`, so that a later change of the working directory moves nothing. */
export function absolutePath(location: string | URL): string {
  const path = resolve(typeof location === 'string' ? location : fileURLToPath(location));
  return process.platform === 'win32' ? path.replaceAll('\\', '/') : path;
}
