/** What `npm pack` would publish, and that as an installed package in a project of its own. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../files.ts';
import { manifest } from './repository.ts';

export interface Packed {
  readonly files: readonly string[];
  readonly unpackedBytes: number;
}

/** Scripts stay out: `prepack` rebuilds the very files this process runs from. */
export function packedFiles(): Packed {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const out = execFileSync(npm, ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const answer = JSON.parse(out) as unknown;
  const [packed] = (Array.isArray(answer) ? answer : Object.values(answer as object)) as [
    NpmPacked,
  ];
  const files = packed.files.map(({ path }) => path).filter((path) => !isStale(path));
  return { files, unpackedBytes: packed.unpackedSize };
}

interface NpmPacked {
  readonly files: readonly { readonly path: string }[];
  readonly unpackedSize: number;
}

/** Compiled from a source that is gone: a clean build, as `prepack` makes, would not have it. */
function isStale(path: string): boolean {
  const source = /^dist\/(src\/.+?)\.d\.ts(\.map)?$/.exec(path)?.[1];
  return source !== undefined && !existsSync(join(root, `${source}.ts`));
}

/** Lays out `folder/node_modules` as installing the packed tarball would; other packages are linked. */
export function installInto(folder: string, others: readonly string[] = []): void {
  const modules = join(folder, 'node_modules');
  const home = join(modules, manifest.name);
  for (const file of packedFiles().files) {
    mkdirSync(dirname(join(home, file)), { recursive: true });
    cpSync(join(root, file), join(home, file));
  }
  for (const name of [...Object.keys(manifest.dependencies ?? {}), ...others]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name), 'junction');
  }
}
