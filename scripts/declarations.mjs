/**
 * The types that are published: what users can reach from an entry point, and no more. The compiler declares everything that modules
 * share; in `dist/types` that stays whole, so that a build after a small change has all of it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** @param entries  Those of `exports` in package.json. */
export function publishDeclarations(root, entries) {
  const to = join(root, 'dist/src');
  const from = join(root, 'dist/types/src');
  const shown = entries.flatMap(({ types }) => types?.replace(/^\.\/dist\/src\//, '') ?? []);
  const files = new Map();
  for (const file of readdirSync(from, { recursive: true })) {
    if (!file.endsWith('.d.ts')) continue;
    const text = readFileSync(join(from, file), 'utf8');
    files.set(file, { file, statements: statementsOf(text), isEntry: shown.includes(file) });
  }
  while (dropUnused([...files.values()])) continue;
  const reached = new Set();
  const reach = (file) => {
    if (reached.has(file) || !files.has(file)) return;
    reached.add(file);
    for (const [, name] of textOf(files.get(file)).matchAll(/(?:from|import\()\s*'([^']+)'/g)) {
      if (name.startsWith('#'))
        reach(name.replace(/^#(.*)\.js$/, '$1.d.ts').replace('/', '/node/'));
      else if (name.startsWith('.')) reach(join(dirname(file), name.replace(/\.ts$/, '.d.ts')));
    }
  };
  shown.forEach(reach);
  for (const file of readdirSync(to, { recursive: true })) {
    if (file.endsWith('.d.ts') && !reached.has(file)) rmSync(join(to, file));
  }
  for (const file of reached) {
    const path = join(to, file);
    const text = shortened(textOf(files.get(file)));
    mkdirSync(dirname(path), { recursive: true });
    if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileSync(path, text);
  }
}

/** Statements at the top of a file, each with the comment in front of it. The compiler indents whatever is inside of one. */
function statementsOf(text) {
  const statements = text.split(/^(?=\/\*\*|[a-z])/m);
  for (let i = statements.length - 2; i >= 0; i--) {
    if (statements[i].trimEnd().endsWith('*/')) {
      statements[i] += statements.splice(i + 1, 1)[0];
    }
  }
  return statements.map((statement) => {
    const code = statement.replace(/\/\*\*(?:(?!\*\/)[\s\S])*\*\//g, '');
    const [, name] =
      /^(?:export )?(?:declare )?(?:function|const|class|interface|type) (\w+)/m.exec(code) ?? [];
    return { text: statement, code, name, words: new Set(code.match(/\w+/g)) };
  });
}

/** Drops what has a name that nobody mentions, and names that are only imported. False when there is nothing more to drop. */
function dropUnused(files) {
  const mentions = new Map();
  for (const { statements } of files) {
    for (const { words } of statements) {
      for (const word of words) mentions.set(word, (mentions.get(word) ?? 0) + 1);
    }
  }
  let dropped = false;
  for (const file of files) {
    const { statements, isEntry } = file;
    const isUsed = ({ name, code }) => {
      if (isEntry || name === undefined)
        return isEntry || !code.startsWith('import') || isMentioned(code);
      return mentions.get(name) > 1;
    };
    const isMentioned = (code) => {
      const [, names] = /\{([^}]*)\}/.exec(code) ?? [];
      if (names === undefined) return true;
      return names
        .match(/\w+/g)
        .some((word) => statements.filter(({ words }) => words.has(word)).length > 1);
    };
    const kept = statements.filter(isUsed);
    dropped ||= kept.length < statements.length;
    file.statements = kept;
  }
  return dropped;
}

function textOf({ statements }) {
  return statements.map(({ text }) => text).join('');
}

/** What describes a file rather than a name, and needless blanks, are for the source. */
function shortened(text) {
  return text
    .replace(/^\/\*\*(?:(?!\*\/)[\s\S])*\*\/\n(?=import |export (?:type )?\{|\/\*\*)/, '')
    .replace(/^(?: {4})+/gm, (indent) => ' '.repeat(indent.length / 4))
    .replace(/^( *) \* /gm, '$1* ');
}
