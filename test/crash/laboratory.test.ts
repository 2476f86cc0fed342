/** At risk: the laboratory itself. One that misses a forgotten sync would prove nothing about the stores it passes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  crashAgain,
  crashEverywhere,
  failEverywhere,
  keepDiscipline,
  noFindings,
  type Findings,
} from './explore.ts';
import { scripted, type Step } from './script.ts';
import { toyPaths, toyStore, type Mistake } from './toy-store.ts';
import type { Workload } from './workload.ts';

const steps: Step[] = [
  { put: 'a', size: 1300 },
  { put: 'b' },
  { put: 'a', mode: 'overwrite', size: 700 },
  { put: 'pointer', mode: 'overwrite', guards: [{ put: 'c', size: 600 }] },
  { remove: 'b' },
];
const after: Step[] = [{ put: 'a', mode: 'overwrite' }, { put: 'd' }];

function toy(mistake?: Mistake): Workload {
  return scripted({
    name: mistake ?? 'toy',
    open: (disk, env) => toyStore(disk, env, mistake),
    ...toyPaths,
    steps,
    after,
  });
}

async function found(
  explore: (workload: Workload, findings: Findings) => Promise<void>,
  mistake?: Mistake,
): Promise<Findings> {
  const findings = noFindings();
  await explore(toy(mistake), findings);
  return findings;
}

describe('a correct store', () => {
  it('passes every crash, at every point', async () => {
    const { violations, points, pointsCovered, states } = await found(crashEverywhere);
    assert.deepEqual(violations.slice(0, 3), []);
    assert.equal(pointsCovered, points);
    assert.ok(states > 300, `${states} states`);
  });

  it('survives a crash of what follows a crash', async () => {
    const { violations, states } = await found(crashAgain);
    assert.deepEqual(violations.slice(0, 3), []);
    assert.ok(states >= 200, `${states} states`);
  });

  it('keeps the rules of syncs', async () => {
    const { violations, acks } = await found(keepDiscipline);
    assert.deepEqual(violations, []);
    assert.equal(acks, 8);
  });

  it('survives every failing sync and write', async () => {
    const { violations, faults, faultsHit } = await found(failEverywhere);
    assert.deepEqual(violations.slice(0, 3), []);
    assert.ok(faults > 100, `${faults} faults`);
    assert.equal(faultsHit, faults);
  });
});

describe('crash states catch a store that', () => {
  const mistakes: Mistake[] = [
    'no datasync',
    'no directory sync',
    'no sync of the parent',
    'publishes before datasync',
    'writes in place',
  ];
  for (const mistake of mistakes) {
    it(`has this mistake: ${mistake}`, async () => {
      assert.notDeepEqual((await found(crashEverywhere, mistake)).violations, []);
    });
  }
});

describe('the rules of syncs catch a store that', () => {
  const mistakes: Mistake[] = [
    'no datasync',
    'no directory sync',
    'no sync of the parent',
    'publishes before datasync',
  ];
  for (const mistake of mistakes) {
    it(`has this mistake: ${mistake}`, async () => {
      assert.notDeepEqual((await found(keepDiscipline, mistake)).violations, []);
    });
  }
});

describe('a failing disk catches a store that', () => {
  it('asks again after a failed sync, and loses what it acknowledged', async () => {
    const { violations } = await found(failEverywhere, 'retries a failed sync');
    assert.ok(violations.some((line) => line.includes('retried')));
    assert.ok(
      violations.some((line) => / is torn|expected/.test(line)),
      'what it acknowledged is lost',
    );
  });

  it('takes no notice of a failed sync', async () => {
    const { violations } = await found(failEverywhere, 'swallows a failed sync');
    assert.notDeepEqual(violations, []);
  });
});
