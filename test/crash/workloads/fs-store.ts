/** Scripts for the fs store: every way it writes, alone, in sequence and racing. */
import { seededRandom } from '../../../src/testing/index.ts';
import { scripted, type Put, type Step } from '../script.ts';
import type { Workload } from '../workload.ts';
import { keyOf, openFs, pathOf, rootImage } from './fs-root.ts';

function workload(name: string, steps: readonly Step[], after: readonly Step[]): Workload {
  return scripted({
    name: `fs store: ${name}`,
    image: rootImage,
    open: openFs,
    pathOf,
    keyOf,
    steps,
    after,
  });
}

/** A commit: manifests in a directory of their own, then the pointer. */
function commit(pointer: string, id: string, copies: number): Put {
  const guards = Array.from({ length: copies }, (_, i) => ({
    put: `${pointer}/manifests/${id}/${i}`,
    size: 600,
  }));
  return { put: `${pointer}/latest`, mode: 'swap', guards };
}

const goOn = (...keys: readonly string[]): Step[] => [
  { put: `${keys[0]}-next` },
  ...keys.map((put): Step => ({ put, mode: 'overwrite', size: 900 })),
  { put: keys[0] ?? '', mode: 'swap' },
];

export const fsStoreWorkloads: readonly Workload[] = [
  workload(
    'creates',
    [{ put: 'a' }, { put: 'b', size: 0 }, { put: 'c', size: 1300 }, { put: 'a' }],
    goOn('a', 'b', 'c'),
  ),
  workload(
    'overwrites',
    [0, 40, 1300, 5000, 10].map((size) => ({ put: 'd/a', mode: 'overwrite', size })),
    goOn('d/a'),
  ),
  workload(
    'compares and swaps',
    [40, 700, 1300, 60].map((size) => ({ put: 'd/pointer', mode: 'swap', size })),
    goOn('d/pointer'),
  ),
  workload(
    'guarded puts',
    [commit('x', '1', 1), commit('x', '2', 3), commit('x', '3', 2)],
    [commit('x', '4', 2), commit('x', '5', 1)],
  ),
  workload(
    'removals',
    [{ put: 'd/a' }, { put: 'b' }, { remove: 'd/a' }, { remove: 'b' }, { put: 'd/a', size: 700 }],
    [{ remove: 'd/a' }, { put: 'b' }, { put: 'd/a', mode: 'overwrite' }],
  ),
  workload(
    'new directories',
    [{ put: 'a/b/c/d', size: 600 }, { put: 'a/b/e' }, { put: 'a/f/g/h' }, { put: 'a/i' }],
    [...goOn('a/b/c/d', 'a/f/g/h'), { put: 'j/k/l' }],
  ),
  workload(
    'streams',
    [
      { put: 'd/a', size: 3000, chunk: 700 },
      { put: 'd/a', mode: 'overwrite', size: 2100, chunk: 1000 },
      { put: 'd/b', size: 1200, chunk: 600 },
    ],
    goOn('d/a', 'd/b'),
  ),
  workload(
    'large objects',
    [
      { put: 'd/a', size: 66_000 },
      { put: 'd/a', mode: 'swap', size: 70_000, chunk: 30_000 },
    ],
    [{ put: 'd/a', mode: 'swap', size: 66_000 }],
  ),
  workload(
    'creates that race for directories',
    [
      {
        together: [
          [{ put: 'a/b/1' }, { put: 'a/c/1', size: 700 }],
          [{ put: 'a/b/2', size: 700 }, { put: 'a/c/2' }],
          [{ put: 'a/b/c/3' }],
        ],
      },
    ],
    goOn('a/b/1', 'a/c/2', 'a/b/c/3'),
  ),
  workload(
    'writes side by side in one directory',
    [
      {
        together: ['1', '2', '3', '4', '5'].map((put) => [
          { put, size: 600 },
          { put, mode: 'overwrite' },
        ]),
      },
    ],
    goOn('1', '2'),
  ),
  workload(
    'creates that race for a key',
    [{ together: [[{ put: 'd/a' }], [{ put: 'd/a', size: 600 }], [{ put: 'd/a', size: 1100 }]] }],
    goOn('d/a'),
  ),
  workload(
    'overwrites and removals that race',
    [
      { put: 'd/a' },
      {
        together: [
          [{ put: 'd/a', mode: 'overwrite', size: 600 }, { remove: 'd/a' }],
          [{ put: 'd/a', mode: 'overwrite', size: 1100 }],
          [{ remove: 'd/a' }, { put: 'd/a' }],
        ],
      },
    ],
    goOn('d/a'),
  ),
  workload(
    'commits that race',
    [
      { together: [[commit('x', 'a1', 2)], [commit('x', 'b1', 1)]] },
      { together: [[commit('x', 'a2', 1)], [commit('x', 'b2', 2)], [commit('y', 'c2', 1)]] },
    ],
    [commit('x', '9', 2), commit('y', '9', 1)],
  ),
];

/** A script that no one thought of. */
export function randomFsStoreWorkload(seed: number): Workload {
  const random = seededRandom(seed);
  const pick = <T>(...items: readonly [T, ...T[]]): T =>
    items[Math.floor(random() * items.length)] ?? items[0];
  let commits = 0;
  const step = (): Step => {
    const put = pick('a', 'd/b', 'd/e/c');
    const size = pick(0, 40, 700, 1300);
    const mode = pick('create', 'overwrite', 'swap');
    if (random() < 0.15) return { remove: put };
    if (random() < 0.25) return commit('x', `${++commits}`, pick(1, 2));
    return { put, size, mode, ...(random() < 0.2 && { chunk: 400 }) };
  };
  const some = (count: number): Step[] => Array.from({ length: count }, step);
  const together = { together: [some(2), some(2), some(1)] };
  return workload(`random ${seed}`, [...some(3), together, ...some(2)], some(4));
}
