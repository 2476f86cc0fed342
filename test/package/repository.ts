/** The repository and its manifest, as the package tests see them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../files.ts';
import { readText } from './source.ts';

export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export const manifest: PackageManifest = JSON.parse(readText('package.json')) as PackageManifest;

export interface EntryPoint {
  /** What a user imports: `lode`, `lode/fs`. */
  readonly specifier: string;
  /** The file it is compiled from. */
  readonly source: string;
}

/** Every entry point that package.json lists, code only. */
export function publicSources(): EntryPoint[] {
  return Object.entries(manifest.exports).flatMap(([path, target]) =>
    typeof target === 'string'
      ? []
      : {
          specifier: manifest.name + path.slice(1),
          source: target['types']?.replace('./dist/', '').replace(/\.d\.ts$/, '.ts') ?? '',
        },
  );
}

/** Why what the whole public face decides cannot be held yet; false once it has every component. */
export const faceToCome: false | string =
  !/\bzstd\b/.test(readText('src/index.ts')) && 'compressors are still to come';

const skipped = new Set(['.git', 'node_modules', 'dist', '.tour']);
const binary = /\.(parquet|gz|zst|snap|bin|png|log)$/;

/** Text files of the working tree that a clone would hold. */
export function repositoryFiles(folder = '.'): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
    if (skipped.has(entry.name) || binary.test(entry.name)) return [];
    if (entry.isDirectory()) return repositoryFiles(path);
    return entry.isFile() && !entry.name.endsWith('.tgz') ? [path] : [];
  });
}
