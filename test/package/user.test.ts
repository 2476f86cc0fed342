/**
 * At risk: users with stricter settings than ours. What npm would install compiles in a strict project, with Node's types
 * alone and with the browser's alone, and so does every complete example in the documents.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { root } from '../files.ts';
import { installInto } from './pack.ts';
import { faceToCome, repositoryFiles } from './repository.ts';
import { readText } from './source.ts';

const strict = {
  noEmit: true,
  target: 'es2022',
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noPropertyAccessFromIndexSignature: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
};
const node = { ...strict, lib: ['es2023', 'esnext.disposable'], types: ['node'] };
const browser = {
  ...strict,
  module: 'esnext',
  moduleResolution: 'bundler',
  lib: ['es2023', 'esnext.disposable', 'dom', 'dom.iterable', 'dom.asynciterable'],
  types: [],
};

describe('a strict user', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'lode-user-'));
    // Without the optional peers: types must not need them.
    installInto(folder, ['@types/node', 'undici-types']);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    copyFileSync(join(root, 'test/package/user/main.ts'), join(folder, 'main.ts'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const compile = (files: readonly string[], compilerOptions: object): string => {
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', folder], {
      cwd: folder,
      encoding: 'utf8',
    });
    return stdout + stderr;
  };

  it("compiles with Node's types and no DOM", () => {
    assert.equal(compile(['main.ts'], node), '');
  });

  it("compiles with the browser's types and no Node", () => {
    assert.equal(compile(['main.ts'], browser), '');
  });

  it('compiles the examples of the documents', { todo: faceToCome }, () => {
    const blocks = repositoryFiles()
      .filter((page) => /^(docs\/.*|[A-Z]+)\.md$/.test(page))
      .flatMap((page) => [...readText(page).matchAll(/^```ts\n(import [\s\S]*?)^```$/gm)]);
    assert.ok(blocks.length > 0);
    const files = blocks.map(([, code = ''], i) => {
      writeFileSync(join(folder, `block${i}.ts`), `${code}\nexport {};\n`);
      return `block${i}.ts`;
    });
    assert.equal(compile(files, node), '');
  });
});
