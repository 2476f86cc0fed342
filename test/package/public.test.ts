/**
 * At risk: the surface users build on. What each entry point exports is compared with `exports.snapshot.txt`; after a
 * change that is meant, `LODE_UPDATE_SNAPSHOT=1 npm test -- package/public` writes it anew.
 */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { root } from '../files.ts';
import { faceToCome, publicSources } from './repository.ts';
import { readSources, readText, type Export } from './source.ts';

const snapshot = 'test/package/exports.snapshot.txt';
const sources = new Map(readSources('src').map((source) => [source.file, source]));
const present = publicSources().filter(({ source }) => sources.has(source));

describe('the public face', () => {
  it('has every entry point that package.json lists', { todo: faceToCome }, () => {
    assert.deepEqual(present, publicSources());
  });

  it('exports what the snapshot says', { todo: faceToCome }, () => {
    const lines = present.flatMap(({ specifier, source }) =>
      exportsOf(source).map(({ kind, name }) => `${specifier} ${kind} ${name}`),
    );
    const actual = lines.sort().join('\n') + '\n';
    if (process.env['LODE_UPDATE_SNAPSHOT']) writeFileSync(join(root, snapshot), actual);
    assert.equal(actual, existsSync(join(root, snapshot)) ? readText(snapshot) : '\n');
  });

  for (const { specifier, source } of present) {
    it(`gives ${specifier} at run time the values its source exports`, async () => {
      const values = exportsOf(source).filter(({ kind }) => kind === 'value');
      assert.deepEqual(
        Object.keys((await import(specifier)) as object).sort(),
        values.map(({ name }) => name).sort(),
      );
    });
  }
});

function exportsOf(file: string): readonly Export[] {
  const source = sources.get(file);
  assert.ok(source, `${file} is there`);
  const stars = source.imports.filter(({ reexport, names }) => reexport && names.includes('*'));
  assert.deepEqual(stars, [], 'a public face names what it shows');
  return source.exports;
}
