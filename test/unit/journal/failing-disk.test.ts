/** At risk: an acknowledgement of what a failing or full disk did not take, or a state with an event that was refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Disk, DiskFile } from '../../../src/disk/disk.ts';
import { openJournal } from '../../../src/journal.ts';
import type { Journal } from '../../../src/journal.ts';
import { isLodeError, LodeError } from '../../../src/errors.ts';
import { faultyDisk, memoryDisk, recordingDisk } from '../../../src/testing/index.ts';
import type { DiskFaultPlan } from '../../../src/testing/index.ts';
import { hooked } from './hooked.ts';

type State = Record<string, number>;
const dir = '/journal';

function open(disk: Disk, durability: 'group' | 'each'): Promise<Journal<State, string>> {
  return openJournal<State, string>(dir, {
    initial: () => ({}),
    apply: (state, key, lsn) => {
      state[key] = lsn;
    },
    check: (state, key) => {
      if (key in state) throw new RangeError(`${key} is taken`);
    },
    durability,
    segmentBytes: 600,
    preallocateBytes: 512,
    reserveBytes: 2048,
    disk,
  });
}

interface Outcome {
  readonly acked: Set<string>;
  readonly refused: Set<string>;
  readonly wasPoisoned: boolean;
}

/** Six rounds of three appends at once, with a snapshot after every second. */
async function work(disk: Disk, durability: 'group' | 'each'): Promise<Outcome> {
  const [acked, refused] = [new Set<string>(), new Set<string>()];
  const note = async (journal: Journal<State, string>, key: string): Promise<void> => {
    try {
      const { lsn } = await journal.append(key);
      assert.equal(journal.state[key], lsn);
      acked.add(key);
    } catch (error) {
      assert.ok(isLodeError(error), String(error));
      if (!isLodeError(error, 'LODE_WRITE_UNCERTAIN')) refused.add(key);
    }
  };
  const journal = await open(disk, durability);
  for (let round = 0; round < 6; round++) {
    await Promise.all([0, 1, 2].map((i) => note(journal, `${round}/${i}`)));
    assert.equal(Object.keys(journal.state).length, acked.size);
    if (journal.failure === undefined) assert.deepEqual(journal.accepted, journal.state);
    if (round % 2 === 1) await journal.snapshot().catch(assertTyped);
  }
  const wasPoisoned = journal.failure !== undefined;
  if (wasPoisoned) await assert.rejects(journal.append('more'), assertTyped);
  await journal.close().catch(assertTyped);
  return { acked, refused, wasPoisoned };
}

function assertTyped(error: unknown): true {
  assert.ok(isLodeError(error), String(error));
  return true;
}

/** Fails each call of a kind in turn; returns how many there were. */
async function failEach(
  durability: 'group' | 'each',
  plan: Omit<DiskFaultPlan, 'at'>,
): Promise<number> {
  for (let at = 0; ; at++) {
    const inner = recordingDisk();
    await inner.makeDirectory(dir);
    await inner.syncDirectory('/');
    const disk = faultyDisk(inner, { ...plan, at });
    let outcome: Outcome = { acked: new Set(), refused: new Set(), wasPoisoned: true };
    try {
      outcome = await work(disk, durability);
    } catch (error) {
      if (!isLodeError(error)) throw error;
    }
    const about = `${plan.kind} ${plan.times} on ${plan.on} ${at}`;
    const journal = await open(inner, durability);
    const found = new Set(Object.keys(journal.state));
    for (const key of outcome.acked) assert.ok(found.has(key), `${about}: ${key} was lost`);
    for (const key of outcome.refused) assert.ok(!found.has(key), `${about}: ${key} came back`);
    assert.deepEqual((await journal.verify()).problems, [], about);
    await journal.append('after');
    await journal.close();
    if (disk.failures === 0) return at;
    if (plan.kind === 'ENOSPC' && plan.times === 'once' && !outcome.wasPoisoned) {
      assert.ok(outcome.acked.size >= 12, `${about}: only ${outcome.acked.size} were acknowledged`);
    }
  }
}

for (const durability of ['group', 'each'] as const) {
  describe(`a journal with durability ${durability} on a failing disk`, () => {
    for (const on of ['write', 'sync', 'name'] as const) {
      for (const times of ['once', 'ever'] as const) {
        for (const kind of on === 'write'
          ? (['EIO', 'ENOSPC', 'short'] as const)
          : (['EIO'] as const)) {
          it(`keeps its word whichever ${on} fails with ${kind}, ${times}`, async () => {
            const count = await failEach(durability, { on, kind, times });
            assert.ok(count >= 10, `${count} cases`);
          });
        }
      }
    }
  });
}

describe('a journal on a full disk', () => {
  it('takes one snapshot from the reserve, can be read, and closes', async () => {
    const inner = memoryDisk();
    await inner.makeDirectory(dir);
    const full = limitedDisk(inner);
    const journal = await open(full.disk, 'group');
    await journal.append('a');
    await journal.append('b');
    full.isFull = true;
    await assert.rejects(journal.append('c'.repeat(3000)), (error) =>
      isLodeError(error, 'LODE_STORAGE_FULL'),
    );
    assert.deepEqual(journal.state, { a: 1, b: 2 });
    await journal.snapshot();
    const seen: string[] = [];
    for await (const { event } of journal.replay()) seen.push(event);
    assert.deepEqual(seen, ['a', 'b']);
    full.isFull = false;
    assert.deepEqual(await journal.append('c'), { lsn: 3 });
    await journal.close();
    const again = await open(inner, 'group');
    assert.deepEqual(again.state, { a: 1, b: 2, c: 3 });
    await again.close();
  });
});

describe('a journal whose disk says it is full when the log is read', () => {
  it('is opened with the reserve and with every event', async () => {
    const inner = memoryDisk();
    await inner.makeDirectory(dir);
    const journal = await open(inner, 'each');
    for (let i = 0; i < 40; i++) await journal.append(`key ${i}`);
    const { state } = journal;
    await journal.close();
    const looked: string[] = [];
    let fails = true;
    const disk = hooked(inner, {
      async open(path, mode) {
        // Its header was read before; now its content is, behind that of the first segment.
        const isContent = mode === 'read' && path.endsWith('.log') && looked.includes(path);
        if (fails && isContent && !path.endsWith('1.log')) {
          fails = false;
          throw enospc(path);
        }
        looked.push(path);
        return inner.open(path, mode);
      },
    });
    const again = await open(disk, 'each');
    assert.equal(fails, false);
    assert.deepEqual(again.state, state);
    await again.close();
  });
});

/** A disk with no room for files to grow while it is full, except for what deleting its reserve gave back. */
function limitedDisk(inner: Disk): { disk: Disk; isFull: boolean } {
  let room = 0;
  const control = { disk: inner, isFull: false };
  control.disk = new Proxy(inner, {
    get(target, name, receiver): unknown {
      if (name === 'unlink') {
        return async (path: string): Promise<void> => {
          room += (await target.info(path))?.size ?? 0;
          await target.unlink(path);
        };
      }
      if (name !== 'open' && name !== 'openSync') return bound(target, name, receiver);
      const open = (...args: Parameters<Disk['open']>): DiskFile => {
        const file = target.openSync(...args);
        let size = target.infoSync(args[0])?.size ?? 0;
        const grow = (bytes: Uint8Array, position: number): void => {
          const more = Math.max(0, position + bytes.length - size);
          if (control.isFull && more > room) throw enospc(args[0]);
          if (control.isFull) room -= more;
          size += more;
        };
        return new Proxy(file, {
          get(of, member, own): unknown {
            if (member === 'write') {
              return async (bytes: Uint8Array, position: number) => {
                grow(bytes, position);
                await of.write(bytes, position);
              };
            }
            if (member !== 'writeSync') return bound(of, member, own);
            return (bytes: Uint8Array, position: number) => {
              grow(bytes, position);
              of.writeSync(bytes, position);
            };
          },
        });
      };
      return name === 'openSync'
        ? open
        : async (...args: Parameters<Disk['open']>) => open(...args);
    },
  });
  return control;
}

function bound(target: object, name: string | symbol, receiver: unknown): unknown {
  void receiver;
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === 'function' ? value.bind(target) : value;
}

function enospc(key: string): LodeError {
  return new LodeError('LODE_STORAGE_FULL', 'no room', { key });
}
