/**
 * At risk: the house. Small files, imports that point one way, nothing dead, nothing that belongs to one machine.
 * File and function lengths, cycles and built-in modules are kept by lint (`.oxlintrc.json`).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { median } from '../../bench/harness.ts';
import { readSources, readText, type Source } from './source.ts';
import { faceToCome, manifest, publicSources, repositoryFiles } from './repository.ts';

const foundation = ['errors', 'env', 'events', 'bytes', 'options', 'parallel', 'platform'];

/** What each part may import, besides itself. Parts not named here are public faces: they may import every part. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  platform: [],
  errors: [],
  env: ['errors'],
  options: ['errors'],
  events: ['errors', 'platform'],
  parallel: ['errors'],
  bytes: ['errors', 'env', 'platform'],
  disk: foundation,
  store: foundation,
  'store/fs': [...foundation, 'store', 'disk'],
  encoding: foundation,
  manifest: [...foundation, 'encoding'],
  history: [...foundation, 'store', 'encoding'],
  dataset: [...foundation, 'store', 'encoding', 'manifest', 'history'],
  volume: [...foundation, 'store', 'encoding', 'manifest', 'history'],
  journal: [...foundation, 'disk', 'encoding', 'dataset'],
  local: [...foundation, 'disk', 'volume'],
  // Only public entry points, which are packages to it.
  cli: [],
  testing: [...foundation, 'disk', 'store', 'store/fs', 'encoding', 'history', 'dataset'],
};

const sources = readSources('src');
const tests = [...readSources('test'), ...readSources('bench')];

describe('source', () => {
  it('has files of which half are no longer than 150 lines', () => {
    const lengths = sources.map(({ text }) => text.split('\n').length - 1);
    assert.ok(median(lengths) <= 150, `median is ${median(lengths)} lines`);
  });

  it('opens every file with a comment that says what it is', () => {
    expectNone(sources.filter(({ text }) => !text.startsWith('/**')).map(({ file }) => file));
  });

  it('has kebab-case file names, none of which says nothing', () => {
    const vague = /(^|[/-])(utils?|helpers?|common|misc|shared|lib)(\.ts|[/-])/;
    const names = [...sources, ...tests].map(({ file }) => file);
    expectNone(names.filter((file) => !/^[a-z0-9/.-]+$/.test(file) || vague.test(file)));
  });

  it('throws typed errors only', () => {
    const bare = sources.filter(
      ({ file, text }) =>
        !file.startsWith('src/testing/') && /\bnew (Type|Range|Syntax)?Error\(/.test(text),
    );
    expectNone(bare.map(({ file }) => file));
  });

  it('names an issue in every note left for later', () => {
    const note = /\b(TODO|FIXME|XXX)\b(?!\(#\d+\))/;
    expectNone(matching([...sources, ...tests], note, 'test/package/tidy.test.ts'));
  });

  it('says why when it silences a tool', () => {
    const silenced =
      /(oxlint-disable|eslint-disable|@ts-ignore|@ts-expect-error|@ts-nocheck)(?!.* -- )/;
    expectNone(matching([...sources, ...tests], silenced, 'test/package/tidy.test.ts'));
  });
});

describe('imports', () => {
  it('point one way', () => {
    const wrong: string[] = [];
    for (const { file, imports } of sources) {
      const from = partOf(file);
      const may = allowed[from];
      if (may === undefined) continue;
      for (const target of imports.flatMap(({ files }) => files)) {
        const to = partOf(target);
        const inside = to === from || (from === 'store' && to === 'store/fs');
        if (!inside && !may.includes(to)) wrong.push(`${file} imports ${target}`);
      }
    }
    expectNone(wrong);
  });

  it('bring in packages that package.json names', () => {
    const declared = [
      manifest.name,
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.optionalDependencies ?? {}),
      ...Object.keys(manifest.peerDependencies ?? {}),
    ];
    const wrong = sources.flatMap(({ file, imports }) =>
      imports
        .filter(({ files, from }) => files.length === 0 && !from.startsWith('node:'))
        .filter(
          ({ from }) => !declared.some((name) => from === name || from.startsWith(`${name}/`)),
        )
        .map(({ from }) => `${file} imports ${from}`),
    );
    expectNone(wrong);
  });

  it('find both sides of every platform feature', () => {
    const files = new Set(sources.map(({ file }) => file));
    const wanted = sources.flatMap(({ imports }) => imports.flatMap(({ files }) => files));
    expectNone(wanted.filter((file) => !files.has(file)));
  });
});

describe('exports', () => {
  it('are all used', { todo: faceToCome }, () => {
    expectNone(deadExports());
  });
});

describe('repository', () => {
  it('holds nothing that belongs to one machine', () => {
    const machine =
      /\/(work|home|Users)\/\w|\/root\/\.|[A-Z]:\\Users|\b(registry|artifactory|nexus|verdaccio|proxy)\.[\w.-]+\.\w+|"resolved": *"http/;
    const found = repositoryFiles().filter(
      (file) => file !== 'test/package/tidy.test.ts' && machine.test(readText(file)),
    );
    expectNone(found);
  });
});

/**
 * An export lives when another source file takes it, when it is public, or when its own file uses it and a test takes
 * it. Code that only a test calls is dead.
 */
function deadExports(): string[] {
  const taken = takenNames(sources);
  const tested = takenNames(tests);
  const entries = new Set(publicSources().map(({ source }) => source));
  const dead: string[] = [];
  for (const { file, exports, imports, text } of sources) {
    if (entries.has(file)) continue;
    const all = taken.get(file)?.has('*') ?? false;
    for (const { name } of exports) {
      if (all || taken.get(file)?.has(name)) continue;
      const passedOn = imports.some(({ reexport, names }) => reexport && names.includes(name));
      const usedHere = passedOn || text.match(new RegExp(`\\b${name}\\b`, 'g'))?.[1] !== undefined;
      if (usedHere && tested.get(file)?.has(name)) continue;
      dead.push(`${file} exports ${name}`);
    }
  }
  return dead;
}

function takenNames(readers: readonly Source[]): Map<string, Set<string>> {
  const taken = new Map<string, Set<string>>();
  for (const { imports } of readers) {
    for (const { files, names } of imports) {
      for (const file of files) {
        const known = taken.get(file) ?? new Set();
        for (const name of names) known.add(name);
        taken.set(file, known);
      }
    }
  }
  return taken;
}

/** `src/store/fs/lock.ts` is part `store/fs`, `src/errors.ts` part `errors`. */
function partOf(file: string): string {
  const path = file.replace(/^src\//, '').replace(/\.ts$/, '');
  return path.startsWith('store/fs') ? 'store/fs' : (path.split('/')[0] ?? '');
}

function matching(all: readonly Source[], pattern: RegExp, except: string): string[] {
  return all.flatMap(({ file, text }) =>
    text
      .split('\n')
      .map((line, i) => ({ line, at: `${file}:${i + 1}` }))
      .filter(({ line }) => file !== except && pattern.test(line))
      .map(({ at, line }) => `${at} ${line.trim()}`),
  );
}

function expectNone(found: readonly string[]): void {
  assert.deepEqual([...new Set(found)], []);
}
