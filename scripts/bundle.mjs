/**
 * From compiled modules to what is published: one file per entry point and what they share, in `dist/lode`. Loading a module
 * costs about as much as running it, so few files start fast. `#platform/…` stays an import: Node and browsers take
 * different files. Written in shorter forms and without needless blanks, names kept: every stack trace can be read without a source map.
 */
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { rollup } from '@rollup/wasm-node';
import { publishDeclarations } from './declarations.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const entryPoints = Object.values(exports)
  .filter((target) => target.default !== undefined)
  .map(({ types, default: out }) => [nameIn(out), join(root, types.replace(/\.d\.ts$/, '.js'))])
  .filter(([, file]) => existsSync(file));
const main = join(root, 'dist/src/index.js');
const opener = join(root, 'dist/src/open.js');
let core;
let opened;

/** Modules that a module loads, itself among them; not what it may load later. */
const reached = (from, getModuleInfo) => {
  const found = new Set();
  const visit = (module) => {
    const info = getModuleInfo(module);
    if (found.has(module) || info === null || info.isExternal) return;
    found.add(module);
    info.importedIds.forEach(visit);
  };
  visit(from);
  return found;
};

/** Names stay, and lines of a length that a stack trace can point into. */
const shorter = { minifySyntax: true, minifyWhitespace: true, lineLimit: 120 };

rmSync(join(root, 'dist/lode'), { recursive: true, force: true });
const bundle = await rollup({
  input: Object.fromEntries(entryPoints),
  external: (name) => !isAbsolute(name) && !name.startsWith('.'),
  treeshake: { moduleSideEffects: false },
  onwarn(warning) {
    throw new Error(warning.message);
  },
});
await bundle.write({
  dir: join(root, 'dist/lode'),
  format: 'es',
  generatedCode: 'es2015',
  hoistTransitiveImports: false,
  minifyInternalExports: false,
  chunkFileNames: '[name].js',
  // What the main entry needs at once is one file and what it opens another, whoever else needs parts of them.
  manualChunks(id, { getModuleInfo }) {
    // Not in the first: whoever bundles another entry would get all that can be opened.
    if (id === main || id === opener) return undefined;
    core ??= reached(main, getModuleInfo);
    if (core.has(id)) return 'core';
    opened ??= new Set(
      getModuleInfo(opener).dynamicallyImportedIds.flatMap((way) => [
        ...reached(way, getModuleInfo),
      ]),
    );
    return opened.has(id) ? 'engine' : undefined;
  },
  // Comments are for the source.
  plugins: [
    {
      name: 'strip',
      renderChunk: (code) => transform(code, { target: 'es2022', ...shorter }),
    },
  ],
});
await bundle.close();

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
  // Nobody calls into it: what it says of failures are messages, not stacks.
  minify: true,
  logLevel: 'warning',
});
writeFileSync(program, `#!/usr/bin/env node\n${readFileSync(program, 'utf8')}`);
chmodSync(program, 0o755);

publishDeclarations(root, Object.values(exports));

/** `./dist/lode/fs.js` is `fs`. */
function nameIn(file) {
  return file.replace(/^\.\/dist\/lode\/(.+)\.js$/, '$1');
}
