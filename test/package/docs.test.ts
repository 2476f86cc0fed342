/** At risk: documents that lie. Links lead somewhere, every page is reached, commands exist. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';
import { root } from '../files.ts';
import { manifest, repositoryFiles } from './repository.ts';
import { readText } from './source.ts';

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
