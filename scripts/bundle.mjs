/**
 * From compiled modules to what is published: one file per entry point and what they share, in `dist/lode`. Loading a module
 * costs about as much as running it, so few files start fast. `#platform/…` stays an import: Node and browsers take
 * different files. Not minified: what runs, and every stack trace, can be read without a source map.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const entryPoints = Object.values(exports)
  .filter((target) => target.default !== undefined)
  .map((target) => ({
    in: target.types.replace(/\.d\.ts$/, '.js'),
    out: target.default.replace(/^\.\/dist\/lode\/(.+)\.js$/, '$1'),
  }))
  .filter((entry) => existsSync(join(root, entry.in)));

rmSync(join(root, 'dist/lode'), { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints,
  outdir: 'dist/lode',
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  platform: 'neutral',
  packages: 'external',
  external: ['#platform/*', 'node:*'],
  chunkNames: 'shared-[hash]',
  logLevel: 'warning',
});
