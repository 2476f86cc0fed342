/** R10 in short: the ways through the commit protocol, each call failing once in every way. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { noResult, tryEverywhere } from './fault-matrix.ts';
import { besideGo } from './fault-beside-go.ts';
import { operations as alone } from './fault-operations.ts';
import { volumeOperations } from './fault-volumes.ts';
import { tryOnWire } from './wire-matrix.ts';

const short = [
  'write hive, first of all',
  'write plain again after a lost race',
  'write with no parent expected',
  'copy the rest, a broken target',
  'write hive beside Go, first of all',
  'write plain beside Go, lost race',
  'fill again after a lost race, compatible',
  'stage around other bytes, and commit, compatible',
  'read part of a block, compatible',
  'fill until there is a run, compact',
];
const operations = [...alone, ...besideGo, ...volumeOperations];

describe('a store that fails', () => {
  for (const operation of operations.filter(({ name }) => short.includes(name))) {
    it(`lets "${operation.name}" end in success, in a refusal, or in a question it answers`, async (t) => {
      const result = noResult();
      await tryEverywhere(operation, result, { times: [1] });
      t.diagnostic(`${result.combinations} combinations`);
      assert.ok(result.combinations > 20);
      assert.deepEqual(result.violations, []);
    });
  }

  it('for ever, does not answer that a commit landed which did not', async () => {
    const [first] = operations;
    assert.ok(first !== undefined);
    const result = noResult();
    await tryEverywhere(first, result, { times: [Number.POSITIVE_INFINITY] });
    assert.deepEqual(result.violations, []);
  });

  it('as a bucket, on the wire, does no more harm than that', async (t) => {
    const operation = operations.find(({ name }) => name === 'write plain, head known');
    assert.ok(operation !== undefined);
    const result = noResult();
    await tryOnWire(operation, result);
    t.diagnostic(`${result.combinations} combinations`);
    assert.ok(result.combinations > 40);
    assert.deepEqual(result.violations, []);
  });
});
