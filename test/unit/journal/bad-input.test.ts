/** At risk: a journal that takes what it cannot give back, or harms what is not its own. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe, it } from 'node:test';
import {
  bytes,
  openJournal,
  openWal,
  recordBytesMax,
  recover,
  structured,
} from '../../../src/journal.ts';
import { isLodeError } from '../../../src/errors.ts';
import { coded, dir, names, newDisk, open, write } from './key-value.ts';
import type { Entry, Options, State } from './key-value.ts';

describe('a journal given bad input', () => {
  it('has one opener, and names it', async () => {
    const disk = await newDisk();
    await using journal = await open(disk);
    await journal.append({ key: 'a', value: 1 });
    await assert.rejects(open(disk), coded('LODE_LOCKED'));
    await journal.close();
    await (await open(disk)).close();
  });

  it('logs nothing that its codec cannot write', async () => {
    await using journal = await open(await newDisk());
    const values = [
      new Date(),
      new Map(),
      Number.NaN,
      1n,
      () => 1,
      [undefined],
      { toJSON: () => 1 },
    ];
    for (const value of values) {
      await assert.rejects(journal.append({ key: 'a', value }), coded('LODE_INVALID_RECORD'));
    }
    assert.equal(journal.lsn, 0);
    await journal.append({ key: 'a', value: { b: undefined, __proto__: null, c: ['x'] } });
    assert.deepEqual(journal.state, { a: { c: ['x'] } });
  });

  it('logs what it was given, whatever becomes of that afterwards', async () => {
    const disk = await newDisk();
    const options = {
      initial: () => Buffer.alloc(2),
      apply: (state: Uint8Array, event: Uint8Array): void => {
        state[0] = (state[0] ?? 0) + (event[0] ?? 0);
      },
      // Asks for the state with all that is on its way, which is another object then.
      check: () => {},
      codec: bytes(),
      disk,
    };
    const journal = await openJournal<Uint8Array, Uint8Array>(dir, options);
    const event = Buffer.from([7]);
    const appended = [journal.append(event), journal.append(event), journal.append(event)];
    event.fill(100);
    await Promise.all(appended);
    assert.equal(journal.state[0], 21);
    await journal.close();
    await using again = await openJournal<Uint8Array, Uint8Array>(dir, options);
    assert.equal(again.state[0], 21);
  });

  it('keeps the states it makes of one event apart', async () => {
    const disk = await newDisk();
    const options = {
      initial: () => new Uint8Array(1),
      apply: (state: Uint8Array, event: Uint8Array | null): Uint8Array => {
        const next = event ?? state;
        next[0] = (next[0] ?? 0) + 1;
        return next;
      },
      check: () => {},
      codec: { event: structured<Uint8Array | null>(), state: structured<Uint8Array>() },
      disk,
    };
    const journal = await openJournal<Uint8Array, Uint8Array | null>(dir, options);
    await Promise.all([new Uint8Array([5]), null, null].map((event) => journal.append(event)));
    assert.equal(journal.state[0], 8);
    await journal.close();
  });

  it('deletes and reads nothing for the sake of what is no number', async () => {
    const disk = await newDisk();
    const wal = await openWal(dir, { disk, reserveBytes: 0, segmentBytes: 100 });
    for (let i = 0; i < 5; i++) await wal.append(new Uint8Array(100)).durable;
    for (const wrong of [undefined, null, '4', Number.NaN, Infinity, -1, 1.5] as number[]) {
      await assert.rejects(wal.release(wrong), coded('LODE_INVALID_ARGUMENT'));
      if (wrong === undefined || wrong === null) continue;
      assert.throws(() => wal.cursor({ from: wrong }), coded('LODE_INVALID_ARGUMENT'));
    }
    assert.equal(wal.segments().length, 5);
    await wal.close();
    const recovery = 'salvage' as 'tail';
    for (const options of [{}, { until: { lsn: 1 } }])
      await assert.rejects(
        recover(dir, { disk, recovery, ...options }),
        coded('LODE_INVALID_ARGUMENT'),
      );
  });

  it('takes no record that is not bytes', async () => {
    const wal = await openWal(dir, { disk: await newDisk(), reserveBytes: 0 });
    const wrong = ['text', new Uint16Array(2), [new Uint16Array(2)], ['a'], [[1]], [{ length: 3 }]];
    for (const parts of [...wrong, undefined, null, 5, [undefined], new ArrayBuffer(2)]) {
      assert.throws(
        () => wal.append(parts as unknown as Uint8Array),
        coded('LODE_INVALID_ARGUMENT'),
      );
    }
    assert.equal(wal.nextLsn, 1);
    await wal.close();
  });

  it('does not begin with a state that its codec cannot write', async () => {
    const disk = await newDisk();
    const options = { initial: () => new Map(), apply: (): void => {}, disk };
    await assert.rejects(openJournal(dir, options), coded('LODE_INVALID_RECORD'));
    assert.deepEqual(await names(disk, /./), []);
    await (await openJournal(dir, { ...options, codec: structured() })).close();
  });

  it('does not begin with names that no snapshot has room for, or without a codec', async () => {
    const disk = await newDisk();
    const named = (name: string): object => ({ ...structured(), name });
    const wrong = [5, null, 'json', {}, { event: structured() }, named('n'.repeat(256))];
    for (const codec of wrong as NonNullable<Options['codec']>[])
      await assert.rejects(open(disk, { codec }), coded('LODE_INVALID_ARGUMENT'));
    await assert.rejects(open(disk, { version: 'ü'.repeat(128) }), coded('LODE_INVALID_ARGUMENT'));
    assert.deepEqual(await names(disk, /./), []);
    await using journal = await open(disk, { version: 'v'.repeat(255) });
    await journal.append({ key: 'a', value: 1 });
    await journal.snapshot();
  });

  it('is in no directory that nobody has named', async () => {
    const { length } = await readdir('.');
    for (const wrong of ['', undefined, null, 5, new URL('https://example.org/')] as unknown[]) {
      const path = wrong as string;
      const options = { initial: () => 0, apply: () => 0 };
      await assert.rejects(openJournal(path, options), coded('LODE_INVALID_ARGUMENT'));
      await assert.rejects(openWal(path), coded('LODE_INVALID_ARGUMENT'));
      await assert.rejects(recover(path), coded('LODE_INVALID_ARGUMENT'));
    }
    assert.equal((await readdir('.')).length, length);
  });

  it('takes no snapshot of a state that its codec cannot write, and goes on', async () => {
    const disk = await newDisk();
    const apply = (state: State, { key, value }: Entry): void => {
      state[key] = new Date(value as number);
    };
    await using journal = await open(disk, { apply });
    await journal.append({ key: 'a', value: 1 });
    await assert.rejects(journal.snapshot(), coded('LODE_INVALID_RECORD'));
    await journal.append({ key: 'b', value: 1 });
    assert.deepEqual(await names(disk, /snap/), []);
  });

  it('takes records from 0 bytes to the limit, and none beyond', async () => {
    const disk = await newDisk();
    const options = {
      initial: () => new Uint8Array(0),
      apply: (_: Uint8Array, event: Uint8Array) => event,
      codec: bytes(),
      disk,
    };
    const journal = await openJournal<Uint8Array, Uint8Array>(dir, options);
    await journal.append(new Uint8Array(0));
    await journal.append(new Uint8Array(recordBytesMax).fill(7));
    const tooLong = new Uint8Array(recordBytesMax + 1);
    await assert.rejects(journal.append(tooLong), coded('LODE_LIMIT_EXCEEDED'));
    assert.equal(journal.lsn, 2);
    await journal.close();
    await using again = await openJournal<Uint8Array, Uint8Array>(dir, options);
    assert.equal(again.state.length, recordBytesMax);
    assert.equal(again.state.at(-1), 7);
  });

  it('refuses the directory of another journal, another codec, a newer format', async () => {
    const disk = await newDisk();
    await write(disk, 3);
    await assert.rejects(
      open(disk, { journalId: '00112233445566778899aabbccddeeff' }),
      coded('LODE_INVALID_ARGUMENT'),
    );
    await assert.rejects(open(disk, { codec: structured() }), coded('LODE_INVALID_FORMAT'));
    const journal = await open(disk);
    await journal.snapshot();
    await journal.close();
    await assert.rejects(open(disk, { codec: structured() }), coded('LODE_COMPONENT_MISMATCH'));
    await assert.rejects(
      open(disk, { journalId: '00112233445566778899aabbccddeeff' }),
      coded('LODE_INVALID_ARGUMENT'),
    );
    await assert.rejects(
      openJournal('/nowhere', { initial: () => 0, apply: () => 0, disk }),
      (error) => isLodeError(error, 'LODE_NOT_FOUND') && /Create the directory/.test(error.message),
    );
  });

  it('refuses options that mean nothing', async () => {
    const disk = await newDisk();
    const wrong = [
      { apply: undefined },
      { check: 1 },
      { durability: 'maybe' },
      { recovery: 'hope' },
      { snapshot: { keep: 0 } },
      { snapshot: { every: 1 } },
      { until: {} },
      { until: { lsn: 1, timeMs: 1 } },
      { codec: { name: 'x' } },
      { typo: 1 },
    ];
    for (const options of wrong) {
      await assert.rejects(open(disk, options as Options), coded('LODE_INVALID_ARGUMENT'));
    }
    const journal = await open(disk);
    await journal.close();
    await assert.rejects(journal.append({ key: 'a', value: 1 }), coded('LODE_CLOSED'));
    await assert.rejects(journal.snapshot(), coded('LODE_CLOSED'));
    assert.deepEqual(journal.state, {});
  });

  it('does not wait for functions that return promises', async () => {
    const disk = await newDisk();
    const initial = (async () => ({})) as unknown as () => State;
    await assert.rejects(open(disk, { initial }), coded('LODE_INVALID_ARGUMENT'));
    const check = (async () => {
      throw new RangeError('too late');
    }) as () => void;
    const checked = await open(disk, { check });
    await assert.rejects(checked.append({ key: 'a', value: 1 }), coded('LODE_INVALID_ARGUMENT'));
    assert.equal(checked.lsn, 0);
    await checked.close();
    const apply = (async () => {}) as unknown as () => State;
    const journal = await open(disk, { apply });
    await assert.rejects(journal.append({ key: 'a', value: 1 }), coded('LODE_POISONED'));
    await journal.close();
  });

  it('leaves foreign files alone', async () => {
    const disk = await newDisk();
    for (const name of ['notes.txt', 'wal-1.log', 'snapshot-x.snap', 'wal-.log']) {
      await (await disk.open(`${dir}/${name}`, 'create')).close();
    }
    await write(disk, 2);
    await using journal = await open(disk, { recovery: 'strict' });
    assert.deepEqual(journal.state, { k1: 1, k2: 2 });
  });
});
