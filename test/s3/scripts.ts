/** Exchanges that go wrong on the wire, one script each (R12), and what the adapter has to make of them. */
import type { WireScript } from './scene.ts';
import { conditionScripts } from './scripts-conditions.ts';
import { multipartScripts } from './scripts-multipart.ts';
import { readScripts } from './scripts-reads.ts';
import { refusalScripts } from './scripts-refusals.ts';

export const wireScripts: readonly WireScript[] = [
  ...conditionScripts,
  ...readScripts,
  ...multipartScripts,
  ...refusalScripts,
];
