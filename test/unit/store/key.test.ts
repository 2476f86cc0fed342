/** At risk: two names for one object, or a name that leaves the root. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isLodeError } from '../../../src/errors.ts';
import { normaliseKey, normalisePrefix } from '../../../src/store/key.ts';

const refused = (key: string): void => {
  assert.throws(
    () => normaliseKey(key),
    (error) => isLodeError(error, 'LODE_INVALID_KEY'),
    JSON.stringify(key),
  );
};

describe('keys', () => {
  it('redundant parts would give one object many names', () => {
    const same = [
      ['a/b', 'a/b'],
      ['a//b', 'a/b'],
      ['a/./b', 'a/b'],
      ['./a', 'a'],
      ['a/b/', 'a/b'],
      ['a/b/.', 'a/b'],
      ['a/../b', 'b'],
      ['a/b/../../c', 'c'],
      ['.hidden/...', '.hidden/...'],
      ['a.lock/b', 'a.lock/b'],
      ['é/𝄞', 'é/𝄞'],
      ['CON', 'CON'],
      ['c:/x ', 'c:/x '],
      ['a.', 'a.'],
    ] as const;
    for (const [given, clean] of same) assert.equal(normaliseKey(given), clean);
  });

  it('keys outside the root, hidden in controls or reserved are refused', () => {
    const keys = ['', '.', '/', '..', '../x', 'a/..', 'a/../..', 'a/../../b', '/x', '//x', './'];
    keys.push(
      'a\0b',
      'a\x1f',
      'a\x7f',
      'a\u0085',
      'a\u009f',
      'a\\b',
      '..\\x',
      '\ud800',
      'a\udc00b',
    );
    keys.push(
      '\ud800\ud800',
      '.lode-x',
      '.LODE-x',
      'a.LOCK',
      'a.loc\u212a',
      'a/.lode-tmp/b',
      'x.lock',
      'a/b.lock',
      '.lock',
      'é.lock',
    );
    for (const key of keys) refused(key);
    refused(undefined as unknown as string);
  });

  it('length counts UTF-8 bytes of the clean key', () => {
    assert.equal(normaliseKey('k'.repeat(1024)).length, 1024);
    refused('k'.repeat(1025));
    assert.equal(normaliseKey('é'.repeat(512)).length, 512);
    refused('é'.repeat(513));
    assert.equal(normaliseKey('𝄞'.repeat(256)).length, 512);
    refused(`${'𝄞'.repeat(256)}a`);
    assert.equal(normaliseKey(`a${'/'.repeat(5000)}b`), 'a/b');
  });

  it('the fast path and the slow path agree, and cleaning is idempotent', () => {
    const part = fc.constantFrom('a', '.', '..', '', 'b.c', '.lode-', '.lock', 'é', '\\', '\u0000');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const key = parts.join('/');
        let clean: string;
        try {
          clean = normaliseKey(key);
        } catch {
          return;
        }
        assert.equal(normaliseKey(clean), clean);
        // Leading `./` forces the slow path.
        assert.equal(normaliseKey(`./${key}`), clean);
        assert.ok(clean.split('/').every((name) => !['', '.', '..'].includes(name)));
      }),
    );
  });

  it('a prefix keeps its trailing slash and its partial last part', () => {
    const same = [
      ['', ''],
      ['.', ''],
      ['./', ''],
      ['a/..', ''],
      ['a', 'a'],
      ['a/', 'a/'],
      ['a//', 'a/'],
      ['a/b/.', 'a/b/'],
      ['a/b/..', 'a/'],
      ['a/./b', 'a/b'],
      ['a/x.lock', 'a/x.lock'],
      ['a/.lod', 'a/.lod'],
    ] as const;
    for (const [given, clean] of same) assert.equal(normalisePrefix(given), clean);
    for (const prefix of ['/', '/abs', '..', '../x', 'a\\', '\0', '.lode-'])
      assert.throws(() => normalisePrefix(prefix), prefix);
  });
});
