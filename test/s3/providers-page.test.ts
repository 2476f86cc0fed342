/** At risk: a page that says of a server what no run has found. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { page, pagePath, servers } from './servers/page.ts';
import { readVerdicts } from './servers/verdicts.ts';

it('docs/providers.md is what `npm run providers` writes', () => {
  assert.equal(readFileSync(pagePath, 'utf8'), page());
  assert.deepEqual(Object.keys(readVerdicts()), servers.map(({ name }) => name).sort());
});
