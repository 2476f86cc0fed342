/**
 * At risk: a page that shows what the program does not say. Every example of docs/cli.md is run, in order; after a change
 * that is meant, `LODE_UPDATE_SNAPSHOT=1 npm test -- cli/docs` writes the answers anew.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { commandNames, helpFor } from '../../src/cli/help.ts';
import { root } from '../files.ts';
import { readText } from '../package/source.ts';
import { exportJournal, fillJournals } from './journals.ts';
import { bench, fill, lode } from './program.ts';

const page = 'docs/cli.md';

it('docs/cli.md shows what the program says', async () => {
  using at = bench();
  await fill(at.store);
  at.orphan();
  await fillJournals(at.folder);
  await exportJournal(at.folder);
  const written = readText(page);
  let actual = written;
  for (const [block, body = ''] of written.matchAll(/^```console\n([\s\S]*?)^```$/gm)) {
    let answered = '';
    for (const [, command = ''] of body.matchAll(/^\$ lode (.*)$/gm)) {
      const { stdout, stderr } = await lode(wordsOf(command), { cwd: at.folder });
      answered += `$ lode ${command}\n${stdout}${stderr}`;
    }
    actual = actual.replace(block, () => `\`\`\`console\n${answered}\`\`\``);
  }
  if (process.env['LODE_UPDATE_SNAPSHOT']) writeFileSync(join(root, page), actual);
  else assert.equal(settled(written), settled(actual));
});

it('docs/cli.md has an example of every command', () => {
  const text = readText(page);
  for (const name of commandNames) assert.match(text, new RegExp(`^\\$ lode ${name} `, 'm'));
  assert.ok(helpFor('').text.includes(page));
});

/** Without what any change of the library may move: how often the clock is looked at, and the digests that follow. */
function settled(text: string): string {
  const ids = [...new Set(text.match(/\b1767323045\d{9}\b/g))].sort();
  return text
    .replace(/\b1767323045\d{9}\b/g, (id) => `id ${ids.indexOf(id)}`)
    .replace(/(?<=2026-01-02T03:04:05)\.\d+/g, '')
    .replace(/\b[0-9a-f]{8}\b/g, '');
}

/** As a shell takes them apart, as far as our examples go. */
function wordsOf(command: string): string[] {
  return (command.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'(.*)'$/, '$1'));
}
