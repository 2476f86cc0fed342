/** At risk: an evening of whoever set up the bucket. Each mistake has an error of its own, which says what to do. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isLodeError } from '../../../../src/index.ts';
import { bucketFailures } from '../../../secrets/bucket-failures.ts';

for (const { name, code, says, run } of bucketFailures('canary0000')) {
  it(`${name}: ${code}`, async () => {
    await assert.rejects(run(), (error) => {
      assert.ok(isLodeError(error, code), String(error));
      assert.match(error.message, says);
      return true;
    });
  });
}
