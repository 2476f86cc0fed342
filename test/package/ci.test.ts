/** At risk: a step of `.ci/run` whose command went missing. Bash notices only when it gets there, a quarter of an hour in. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readText } from './source.ts';

const commands = new Set(['npm', 'node', 'bash']);

describe('.ci/run', () => {
  const script = readText('.ci/run');

  it('declares the command of every step', () => {
    const declared = new Set([...script.matchAll(/^(\w+)\(\) /gm)].map(([, name]) => name));
    const called = [...script.matchAll(/\brun (?:"[^"]*"|'[^']*') \d+ (\w+)/g)].map(
      ([, name = '']) => name,
    );
    assert.ok(called.length > 10, `only ${called.length} steps were found`);
    assert.deepEqual(
      called.filter((name) => !declared.has(name) && !commands.has(name)),
      [],
    );
  });
});
