/** At risk: the probe's opponents. A server that misbehaves in name only would make every probe look good. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLodeError, withProbe } from '../../../src/index.ts';
import { misbehavingServers, s3Double } from '../../../src/testing/index.ts';
import { plainStore } from '../../s3/plain-store.ts';

describe('misbehaving servers', () => {
  it('are at least 24', () => assert.ok(misbehavingServers.length >= 24));

  for (const { name, rules } of misbehavingServers)
    it(`${name}: refused, and nothing is left`, async (t) => {
      await using double = await s3Double();
      for (const rule of rules()) double.script(rule);
      await assert.rejects(withProbe(plainStore(double)).put('k', 'x'), (error) => {
        assert.ok(isLodeError(error, 'LODE_CONDITIONS_UNSUPPORTED'), String(error));
        t.diagnostic(String(error.details.field));
        return true;
      });
      assert.equal(double.objects.size, 0);
    });

  it('an honest one is accepted', async () => {
    await using double = await s3Double();
    const { outcome } = await withProbe(plainStore(double)).put('k', 'x');
    assert.deepEqual([outcome, [...double.objects.keys()]], ['stored', ['k']]);
  });
});
