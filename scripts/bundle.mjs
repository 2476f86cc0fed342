/**
 * From compiled modules to what is published: one file per entry point and what they share, in `dist/lode`. Loading a module
 * costs about as much as running it, so few files start fast. `#platform/…` stays an import: Node and browsers take
 * different files. Not minified: what runs, and every stack trace, can be read without a source map.
 */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

// The program is bundled apart: it takes the library by its public names, and starts with the fewest bytes that tell what
// was asked.
const program = join(root, 'dist/lode/cli.js');
await build({
  absWorkingDir: root,
  entryPoints: [{ in: 'dist/src/cli/main.js', out: 'cli' }],
  outdir: 'dist/lode',
  bundle: true,
  splitting: true,
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  packages: 'external',
  chunkNames: 'cli-[hash]',
  logLevel: 'warning',
});
writeFileSync(program, `#!/usr/bin/env node\n${readFileSync(program, 'utf8')}`);
chmodSync(program, 0o755);
