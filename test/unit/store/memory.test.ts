/** At risk: the store every other test trusts. The full contract is in the conformance suite. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareUtf8 } from '../../../src/bytes/index.ts';
import { memoryStore } from '../../../src/store/memory.ts';
import { SortedKeys } from '../../../src/store/sorted-keys.ts';

describe('memory store', () => {
  it('a put while a guarded put of the key runs waits for it', async () => {
    const store = memoryStore();
    const order: string[] = [];
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const guarded = store.put('p', 'new', {
      beforePublish: async () => {
        order.push('guard');
        await gate;
        await store.put('m', 'manifest');
        order.push('guard done');
      },
    });
    const other = store.put('p', 'other', { mode: 'overwrite' }).then(() => order.push('other'));
    assert.equal(await store.head('p'), undefined);
    open();
    assert.deepEqual((await guarded).outcome, 'stored');
    await other;
    assert.deepEqual(order, ['guard', 'guard done', 'other']);
  });

  it('sorted keys agree with a sorted set under any order of adds, removes and looks', () => {
    const key = fc.constantFrom('a', 'b', 'a/b', 'a.b', '\u{10000}', '\uffff', 'é', 'z');
    const step = fc.tuple(fc.constantFrom('add', 'remove', 'look'), key);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const keys = new SortedKeys();
        const model = new Set<string>();
        for (const [verb, name] of steps) {
          if (verb === 'add' && !model.has(name)) {
            keys.add(name);
            model.add(name);
          } else if (verb === 'remove' && model.delete(name)) keys.remove(name);
          else if (verb === 'look') {
            const expected = [...model].filter((one) => compareUtf8(one, name) >= 0);
            assert.deepEqual(keys.page(name, 100), expected.sort(compareUtf8));
          }
        }
      }),
    );
  });

  it('100,000 keys are written, listed while written and deleted without going quadratic', async () => {
    const store = memoryStore();
    for (let i = 0; i < 100_000; i++) await store.put(`k/${(i * 7919) % 100_000}`, '');
    let listed = 0;
    for await (const _ of store.list('k/')) {
      if (listed++ % 1000 === 0) await store.put(`a/${listed}`, '');
    }
    assert.equal(listed, 100_000);
    await store.delete(Array.from({ length: 100_000 }, (_, i) => `k/${i}`));
    const rest: string[] = [];
    for await (const { key } of store.list('')) rest.push(key);
    assert.equal(rest.length, 100);
  });
});
