/** Source files of a folder of this repository, as paths relative to its root, in order. */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Repository root, seen from `dist/test/`. */
export const root: string = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

export function globSync(folder: string, ending: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}
