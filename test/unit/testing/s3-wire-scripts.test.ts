/** At risk: R12 by name only. There are scripts for every hazard, each different, and the runner can tell a bad store from a good one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withRetry } from '../../../src/index.ts';
import { plainStore } from '../../s3/plain-store.ts';
import { runWireScript } from '../../s3/run-script.ts';
import { wireScripts } from '../../s3/scripts/index.ts';

const named = (name: string) => {
  const script = wireScripts.find((one) => one.name === name);
  assert.ok(script, name);
  return script;
};

describe('wire scripts', () => {
  it('are at least 60, each with a name of its own', () => {
    assert.ok(wireScripts.length >= 60, `${wireScripts.length}`);
    assert.equal(new Set(wireScripts.map(({ name }) => name)).size, wireScripts.length);
  });

  it('pass a client that does what they want', async () => {
    await runWireScript(named('somebody was first'), plainStore);
    await runWireScript(named('a connection reset before the answer'), (double, env) =>
      withRetry(plainStore(double, env), { env }),
    );
  });

  it('fail a client that takes its own write for a conflict', async () => {
    const script = named('an answer lost whole is not a conflict');
    const retrying = runWireScript(script, (double, env) => {
      const store = plainStore(double, env);
      const put: typeof store.put = (...call) => store.put(...call).catch(() => store.put(...call));
      return { ...store, put };
    });
    await assert.rejects(retrying, /conflict is none of: stored/);
  });

  it('fail a client that says missing where access was denied', async () => {
    const script = named('no bucket there is not the same as nothing there');
    await assert.rejects(runWireScript(script, plainStore), /missing is none of/);
  });
});
