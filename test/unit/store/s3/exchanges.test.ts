/** At risk: commits, when the wire fails. Every wire script of the double, on our store, with time that a test owns. */
import { test } from 'node:test';
import { openBare } from '../../../s3/open.ts';
import { runWireScript } from '../../../s3/run-script.ts';
import { wireScripts } from '../../../s3/scripts/index.ts';

for (const script of wireScripts) test(script.name, () => runWireScript(script, openBare));
