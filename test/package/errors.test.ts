/** At risk: the error model. Every code is documented, thrown by some code, and hit by some test: three equal lists. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readSources, readText } from './source.ts';

/** Codes whose test is still to come. Takes none on; ends empty. */
const toCome: readonly string[] = [
  'LODE_CODEC_CONFIGURED',
  'LODE_CODEC_NOT_STREAMABLE',
  'LODE_FENCED',
  'LODE_NO_SNAPSHOTS',
  'LODE_PARTITIONING_NOT_SUPPORTED',
  'LODE_SNAPSHOT_CONFLICT',
];

const definition = readText('src/errors.ts');
const codes = unique(definition.match(/^ {2}\| '(LODE_\w+)'/gm)?.map((line) => line.slice(5, -1)));
const thrown = namedIn([
  ...readSources('src').filter(({ file }) => file !== 'src/errors.ts'),
  { text: definition.match(/new LodeError\('\w+'/g)?.join() ?? '' },
]);
const tested = namedIn(
  readSources('test').filter(({ file }) => file !== 'test/package/errors.test.ts'),
);

describe('error codes', () => {
  it('are documented one by one, with the kind they have', () => {
    const kinds = new Map(
      [...definition.matchAll(/^ {2}(LODE_\w+): \[\s*'(\w+)'/gm)].map(([, code, kind]) => [
        code,
        kind,
      ]),
    );
    const documented = [...readText('docs/errors.md').matchAll(/^### `(LODE_\w+)` \((\w+)\)$/gm)];
    assert.deepEqual(unique(documented.map(([, code]) => code ?? '')), codes);
    for (const [, code, kind] of documented) assert.equal(kind, kinds.get(code), code);
  });

  it('are all thrown', (t) => {
    const missing = codes.filter((code) => !thrown.has(code));
    t.diagnostic(`not thrown yet: ${missing.join(' ') || 'none'}`);
    assert.deepEqual(missing, []);
  });

  it('are all hit by a test', (t) => {
    const missing = codes.filter((code) => !tested.has(code));
    t.diagnostic(`not tested yet: ${missing.join(' ') || 'none'}`);
    assert.deepEqual(
      missing.filter((code) => !toCome.includes(code)),
      [],
    );
  });
});

function unique(names: readonly string[] = []): string[] {
  return [...new Set(names)].sort();
}

function namedIn(sources: readonly { readonly text: string }[]): Set<string> {
  return new Set(sources.flatMap(({ text }) => text.match(/(?<=')LODE_\w+(?=')/g) ?? []));
}
