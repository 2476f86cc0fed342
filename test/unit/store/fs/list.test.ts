/** At risk: a directory tree that lists differently from a flat store. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { memoryStore } from '../../../../src/store/memory.ts';
import type { ListOptions, Store } from '../../../../src/store/store.ts';
import { inFolder, inMemory, keysOf } from './folder.ts';

const none = { durability: 'none' } as const;
/** Around `/` (2f) in byte order, and beyond the basic plane, where UTF-16 order differs. */
const part = fc.stringMatching(/^[a]?(-|\.b|0|a|é|\uffee|😀)$/u);
const key = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const keys = fc
  .uniqueArray(key, { maxLength: 25 })
  .map((all) => all.filter((one) => !all.some((other) => other.startsWith(`${one}/`))));
const cutPoint = fc.nat({ max: 5 });

void describe('fs store: list', () => {
  void it('is that of a flat store, for every prefix, start and fold', () =>
    fc.assert(
      fc.asyncProperty(keys, key, key, cutPoint, fc.boolean(), async (all, a, b, at, fold) => {
        const [flat, tree] = [memoryStore(), await inMemory(none)];
        for (const one of all) {
          await flat.put(one, 'x');
          await tree.put(one, 'x');
        }
        const around = [a, ...all.slice(0, 3)];
        for (const [i, startAfter] of [undefined, b, ...around].entries()) {
          const prefix = Array.from(around[i % around.length] ?? '')
            .slice(0, at)
            .join('');
          const options: ListOptions = {
            ...(startAfter === undefined ? {} : { startAfter }),
            ...(fold ? { delimiter: '/' } : {}),
          };
          assert.deepEqual(
            await listed(tree, prefix, options),
            await listed(flat, prefix, options),
          );
        }
      }),
      { numRuns: 150 },
    ));

  void it('shows objects only: no links, lock files, staged files, empty directories or foreign names', () =>
    inFolder(async (store, root) => {
      await store.put('d/a', 'x', { beforePublish: async () => {} });
      mkdirSync(join(root, 'empty/empty'), { recursive: true });
      mkdirSync(join(root, '.lode-dir'));
      writeFileSync(join(root, '.lode-dir/inner'), 'x');
      writeFileSync(join(root, 'd/.lode-cas-77'), 'x');
      writeFileSync(join(root, 'd/control\u0001'), 'x');
      symlinkSync(join(root, 'd'), join(root, 'linked'));
      symlinkSync(join(root, 'd/a'), join(root, 'd/linked'));
      assert.deepEqual(await keysOf(store), ['d/a']);
      assert.deepEqual(await listed(store, '', { delimiter: '/' }), ['d/']);
      assert.deepEqual(await keysOf(store, 'missing/'), []);
      assert.deepEqual(await keysOf(store, 'd/a/'), []);
      assert.deepEqual(await keysOf(store, 'd/a'), ['d/a']);
    }, none));

  void it('tells the same facts as head', () =>
    inFolder(async (store) => {
      await store.put('small', 'x');
      await store.put('large', new Uint8Array(5000));
      for await (const info of store.list('')) assert.deepEqual(info, await store.head(info.key));
    }, none));
});

async function listed(store: Store, prefix: string, options: ListOptions): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of store.list(prefix, options)) {
    found.push('key' in entry ? entry.key : entry.prefix);
  }
  return found;
}
