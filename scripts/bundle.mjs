/**
 * From compiled modules to what is published: one file per entry point and what they share, for Node (`dist/node`) and for
 * everything else (`dist/web`). Loading a module costs about as much as running it, so few files start fast.
 * Not minified: what runs can be read, and its source map leads to `src/`.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

for (const [side, platform] of [
  ['node', 'node'],
  ['web', 'browser'],
]) {
  const outdir = join(root, 'dist', side);
  const entryPoints = {};
  for (const [path, target] of Object.entries(exports)) {
    const name = path === '.' ? 'index' : path.slice(2);
    const compiled = target.types?.replace(/\.d\.ts$/, '.js');
    const offered = (side === 'node' ? target.node : target.default) !== undefined;
    if (compiled && offered && existsSync(join(root, compiled))) entryPoints[name] = compiled;
  }
  rmSync(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints,
    outdir,
    platform,
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    packages: 'external',
    sourcemap: true,
    sourcesContent: false,
    chunkNames: 'shared-[hash]',
    logLevel: 'warning',
  });
}
