/** Every wire script. */
import { accessScripts } from './access.ts';
import { listScripts } from './lists.ts';
import { readScripts } from './reads.ts';
import { refusalScripts } from './refusals.ts';
import type { WireScript } from './script.ts';
import { uploadScripts } from './uploads.ts';
import { writeScripts } from './writes.ts';

export const wireScripts: readonly WireScript[] = [
  ...writeScripts,
  ...refusalScripts,
  ...uploadScripts,
  ...readScripts,
  ...listScripts,
  ...accessScripts,
];
