/** At risk: the core outside Node, and its weight. `lode` bundles for a browser without a trace of Node. */
import assert from 'node:assert/strict';
import { builtinModules } from 'node:module';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build, type BuildResult } from 'esbuild';
import { root } from '../files.ts';

/** Raise them knowingly: every byte is loaded by every page that uses us. */
const gzipBytesMax = 36_000;
const s3GzipBytesMax = 23_000;
const mustNotAppear = ['hyparquet', 'koffi', 'disk/node', 'platform/node', 'src/testing'];

describe('the core in a browser', () => {
  it('bundles without Node, optional peers or test tools, below its ceiling', async (t) => {
    const result = await bundle("export * from 'lode';");
    const text = result.outputFiles.map((file) => file.text).join();
    assert.deepEqual(nodeImports(result), []);
    assert.deepEqual(
      mustNotAppear.filter((part) => text.includes(part)),
      [],
    );
    const [own, lazy] = [true, false].map((first) => gzipBytes(result, first));
    t.diagnostic(`${own} bytes gzipped, ${lazy} more on demand`);
    assert.ok((own ?? 0) <= gzipBytesMax, `${own} bytes gzipped, ceiling ${gzipBytesMax}`);
  });

  it('takes buckets along without Node, at the price of the adapter', async (t) => {
    const result = await bundle("export * from 'lode/s3';");
    const text = result.outputFiles.map((file) => file.text).join();
    assert.deepEqual(nodeImports(result), []);
    assert.deepEqual(
      [...mustNotAppear, 'process.env', '@aws-sdk/credential-provider-node"'].filter((part) =>
        text.includes(part),
      ),
      [],
    );
    const size = gzipBytes(result, true);
    t.diagnostic(`${size} bytes gzipped`);
    assert.ok(size <= s3GzipBytesMax, `${size} bytes gzipped, ceiling ${s3GzipBytesMax}`);
  });
});

function nodeImports(result: Bundled): string[] {
  return Object.values(result.metafile.outputs)
    .flatMap(({ imports }) => imports)
    .map(({ path }) => path)
    .filter((path) => path.startsWith('node:') || builtinModules.includes(path));
}

type Bundled = BuildResult<{ metafile: true; write: false }>;

async function bundle(contents: string): Promise<Bundled> {
  return build({
    stdin: { contents, resolveDir: root },
    absWorkingDir: root,
    outdir: 'out',
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
    metafile: true,
    write: false,
  });
}

/** Size of what loads at once, or of what a dynamic import loads later. */
function gzipBytes(result: Bundled, atOnce: boolean): number {
  const loaded = new Set<string>();
  const visit = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { path: next, kind } of result.metafile.outputs[path]?.imports ?? [])
      if (kind !== 'dynamic-import') visit(next);
  };
  visit('out/stdin.js');
  return result.outputFiles
    .filter(({ path }) => loaded.has(path.slice(root.length + 1)) === atOnce)
    .reduce((sum, { contents }) => sum + gzipSync(contents).length, 0);
}
