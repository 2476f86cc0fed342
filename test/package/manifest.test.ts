/** At risk: what an installer pays for. Few dependencies, nothing that runs at install, a small package with its licence. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { packedFiles } from './pack.ts';
import { manifest } from './repository.ts';
import { readText } from './source.ts';

const unpackedBytesMax = 1_000_000;

describe('the package', () => {
  it('brings at most three dependencies', () => {
    const names = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    assert.ok(names.length <= 3, `dependencies: ${names.join(', ')}`);
  });

  it('runs nothing when it is installed', () => {
    const atInstall = ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'];
    assert.deepEqual(
      Object.keys(manifest.scripts).filter((name) => atInstall.includes(name)),
      [],
    );
  });

  it('locks every package that some platform needs, so that npm ci agrees everywhere', () => {
    const { packages } = JSON.parse(readText('package-lock.json')) as Lockfile;
    const wanted = Object.values(packages).flatMap(({ optionalDependencies }) =>
      Object.keys(optionalDependencies ?? {}),
    );
    assert.deepEqual(
      wanted.filter((name) => packages[`node_modules/${name}`] === undefined),
      [],
    );
  });

  it('ships code, types and licence, no tests, in at most 1 MB', (t) => {
    const { files, unpackedBytes } = packedFiles();
    t.diagnostic(`${files.length} files, ${unpackedBytes} bytes unpacked`);
    assert.ok(unpackedBytes <= unpackedBytesMax, `${unpackedBytes} bytes unpacked`);
    for (const wanted of ['LICENSE', 'README.md', 'CHANGELOG.md', 'package.json'])
      assert.ok(files.includes(wanted), `${wanted} is not packed`);
    assert.deepEqual(
      files.filter((file) => /(^|\/)(test|bench|examples)\//.test(file)),
      [],
    );
  });

  it('is under the licence it names', () => {
    assert.equal(manifest.license, 'Apache-2.0');
    assert.match(readText('LICENSE'), /Apache License\s+Version 2\.0/);
  });
});

interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}
