/**
 * Exchanges that go wrong on the wire, one script each (R12), and what our adapter has to make of them: which requests it
 * sends, on which connections, what its errors say. Those in `scripts/` are data, know no adapter, and judge any store; the
 * two were written apart, so that what one overlooks the other may see.
 */
import type { WireScript } from './scene.ts';
import { changeScripts } from './scripts-changes.ts';
import { conditionScripts } from './scripts-conditions.ts';
import { multipartScripts } from './scripts-multipart.ts';
import { readScripts } from './scripts-reads.ts';
import { refusalScripts } from './scripts-refusals.ts';

export const wireScripts: readonly WireScript[] = [
  ...conditionScripts,
  ...readScripts,
  ...multipartScripts,
  ...refusalScripts,
  ...changeScripts,
];
