/**
 * From compiled modules to what is published: one file per entry point and what they share, in `dist/lode`. Loading a module
 * costs about as much as running it, so few files start fast. `#platform/…` stays an import: Node and browsers take
 * different files. Not minified: what runs, and every stack trace, can be read without a source map.
 */
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

// Declarations that no entry point leads to are of no use to anybody: they are not published.
const declarations = new Set();
const keep = (file) => {
  if (declarations.has(file) || !existsSync(file)) return;
  declarations.add(file);
  for (const [, to] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*'(\.[^']+)\.ts'/g))
    keep(join(dirname(file), `${to}.d.ts`));
};
for (const { types } of Object.values(exports)) if (types !== undefined) keep(join(root, types));
for (const entry of readdirSync(join(root, 'dist/src'), { recursive: true })) {
  const file = join(root, 'dist/src', entry);
  const isPlatform = entry.startsWith('platform');
  if (entry.endsWith('.d.ts') && !isPlatform && !declarations.has(file)) rmSync(file);
}
