/** At risk: commits, when the wire fails. Every script of `test/s3` plays out as it must. */
import { test } from 'node:test';
import { play } from '../../../s3/scene.ts';
import { wireScripts } from '../../../s3/scripts.ts';

for (const script of wireScripts) test(script.name, () => play(script));
