/** At risk: documents that lie. Links lead somewhere, every page is reached, commands exist. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';
import { globSync, root } from '../files.ts';
import { manifest, repositoryFiles } from './repository.ts';
import { readText } from './source.ts';

/** Takes none on; ends empty. */
const barsToCome = 'R1 R9 R10 R17 R22 budgets P6 P7 C1 C2 C3 C6 C7 C13'.split(' ');
const pages = repositoryFiles().filter((file) => file.endsWith('.md'));

describe('documents', () => {
  it('link to files and headings that exist', () => {
    const broken = pages.flatMap((page) =>
      linksOf(page)
        .filter(({ path, anchor }) => !leadsSomewhere(path, anchor))
        .map(({ path, anchor }) => `${page} links to ${path}${anchor}`),
    );
    assert.deepEqual(broken, []);
  });

  it('are all reached from README.md', () => {
    const reached = new Set<string>();
    const visit = (page: string): void => {
      if (reached.has(page) || !existsSync(join(root, page))) return;
      reached.add(page);
      for (const { path } of linksOf(page)) if (path.endsWith('.md')) visit(path);
    };
    visit('README.md');
    assert.deepEqual(
      pages.filter((page) => !page.startsWith('test/') && !reached.has(page)),
      [],
    );
  });

  it('number decisions once each', () => {
    const numbers = pages.map((page) => /^docs\/decisions\/(.{4})-/.exec(page)?.[1] ?? page);
    assert.equal(new Set(numbers).size, numbers.length);
  });

  it('name bars that exist', (t) => {
    const files = [...globSync('bench/bars', '.ts'), ...globSync('test/bars', '.ts')];
    const ids = files.map((file) => /\bid: '(\w+)'/.exec(readText(file))?.[1]);
    const named = pages.flatMap((page) =>
      [...readText(page).matchAll(/`([RPC]\d+|budgets)`|npm run bar -- ((?:\w+ ?)+)/g)].flatMap(
        ([, id, list = '']) => id ?? list.trim().split(' '),
      ),
    );
    const missing = [...new Set(named)].filter((id) => !ids.includes(id)).sort();
    t.diagnostic(`bars still to come: ${missing.join(' ') || 'none'}`);
    assert.deepEqual(
      missing.filter((id) => !barsToCome.includes(id)),
      [],
    );
  });

  it('name npm scripts that exist', () => {
    const unknown = pages.flatMap((page) =>
      [...readText(page).matchAll(/npm run ([\w:-]+)/g)]
        .map(([, name = '']) => name)
        .filter((name) => manifest.scripts[name] === undefined)
        .map((name) => `${page}: npm run ${name}`),
    );
    assert.deepEqual(unknown, []);
  });
});

interface Link {
  readonly path: string;
  readonly anchor: string;
}

function linksOf(page: string): Link[] {
  const prose = readText(page).replace(/```[\s\S]*?```/g, '');
  return [...prose.matchAll(/\]\(([^)#\s]*)(#[^)\s]*)?\)/g)]
    .filter(([, path = '']) => !/^[a-z]+:/.test(path))
    .map(([, path = '', anchor = '']) => ({
      path: path === '' ? page : normalize(join(dirname(page), path)).replace(/\/$/, ''),
      anchor,
    }));
}

function leadsSomewhere(path: string, anchor: string): boolean {
  if (!existsSync(join(root, path))) return false;
  return anchor === '' || anchorsOf(path).includes(anchor);
}

/** As GitHub derives them from headings. */
function anchorsOf(page: string): string[] {
  return [...readText(page).matchAll(/^#+ (.+)$/gm)].map(
    ([, heading = '']) =>
      '#' +
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replace(/ /g, '-'),
  );
}
