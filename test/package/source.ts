/** Reads our own source as text: which files there are, what each imports and exports. Formatted code keeps this simple. */
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { globSync, root } from '../files.ts';

export interface Import {
  /** As written: relative, `#platform/…`, or the name of a package. */
  readonly from: string;
  /** Our files that it resolves to; empty for a package. */
  readonly files: readonly string[];
  /** Names taken; `*` for all of them. */
  readonly names: readonly string[];
  readonly typeOnly: boolean;
  /** True for `export … from`. */
  readonly reexport: boolean;
}

export interface Export {
  readonly name: string;
  readonly kind: 'value' | 'type';
}

export interface Source {
  readonly file: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
}

export function readText(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

export function readSources(folder: string): Source[] {
  return globSync(folder, '.ts').map((file) => {
    const text = readText(file);
    return { file, text, imports: importsOf(file, text), exports: exportsOf(text) };
  });
}

const fromClause =
  /^(import|export)\s+(type\s+)?((?:\w+\s*,?\s*)?(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?)?)\s*from\s+'([^']+)'/gm;
const dynamicImport = /\bimport\('([^']+)'\)|^import\s+'([^']+)'/gm;

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  for (const [, keyword, type, clause = '', from = ''] of text.matchAll(fromClause)) {
    found.push({
      from,
      files: resolve(file, from),
      names: namesOf(clause).map(({ source }) => source),
      typeOnly: type !== undefined,
      reexport: keyword === 'export',
    });
  }
  for (const [, dynamic, bare] of text.matchAll(dynamicImport)) {
    const from = dynamic ?? bare ?? '';
    found.push({
      from,
      files: resolve(file, from),
      names: ['*'],
      typeOnly: false,
      reexport: false,
    });
  }
  return found;
}

const declaration =
  /^export\s+(?:declare\s+)?(?:async\s+|abstract\s+)?(const|let|function\*?|class|interface|type|enum)\s+(\w+)/gm;
const list = /^export\s+(type\s+)?\{([^}]*)\}/gm;

function exportsOf(text: string): Export[] {
  const found = new Map<string, Export>();
  for (const [, word = '', name = ''] of text.matchAll(declaration)) {
    // A type and a value may share a name; the value is what can be missed at run time.
    const kind = word === 'interface' || word === 'type' ? 'type' : 'value';
    if (found.get(name)?.kind !== 'value') found.set(name, { name, kind });
  }
  for (const [, type, names = ''] of text.matchAll(list)) {
    for (const { exported, typeOnly } of namesOf(`{${names}}`)) {
      const kind = type !== undefined || typeOnly ? 'type' : 'value';
      found.set(exported, { name: exported, kind });
    }
  }
  return [...found.values()];
}

function namesOf(clause: string): { source: string; exported: string; typeOnly: boolean }[] {
  if (clause.includes('*')) return [{ source: '*', exported: '*', typeOnly: false }];
  return clause
    .replace(/[{}]/g, ',')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => {
      const typeOnly = part.startsWith('type ');
      const [source = '', exported = source] = part.replace(/^type /, '').split(/\s+as\s+/);
      return { source, exported, typeOnly };
    });
}

function resolve(file: string, from: string): string[] {
  if (from.startsWith('.')) return [normalize(join(dirname(file), from))];
  const platform = /^#platform\/(.+)\.js$/.exec(from)?.[1];
  if (platform === undefined) return [];
  return ['node', 'web'].map((side) => `src/platform/${side}/${platform}.ts`);
}
