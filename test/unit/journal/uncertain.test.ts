/** At risk: a wrong answer to whether a write landed that nobody knows about, which its caller would repeat or lose. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Disk, DiskFile } from '../../../src/disk/disk.ts';
import { isLodeError, LodeError } from '../../../src/errors.ts';
import { openWal } from '../../../src/journal.ts';
import type { Appended, Wal } from '../../../src/journal.ts';
import { memoryDisk } from '../../../src/testing/index.ts';
import { hooked } from './hooked.ts';

const dir = '/log';
const quiet = { preallocateBytes: 0, reserveBytes: 0 };
const record = (value: number): Uint8Array => new Uint8Array(20).fill(value);
const broken = new LodeError('LODE_UNAVAILABLE', 'input/output error', {});

async function newDisk(): Promise<Disk> {
  const disk = memoryDisk();
  await disk.makeDirectory(dir);
  return disk;
}

/** Opens the log on a disk of which `calls` fail as long as `state.fails`. */
async function openFailing(
  inner: Disk,
  state: { fails: boolean },
  calls: (file: DiskFile, path: string) => Partial<DiskFile>,
): Promise<Wal> {
  const disk = hooked(inner, {}, (file, path) => {
    const failing = calls(file, path);
    return Object.fromEntries(
      Object.entries(failing).map(([name, call]) => {
        const usual = Reflect.get(file, name) as (...args: unknown[]) => unknown;
        const own = call as (...args: unknown[]) => unknown;
        return [
          name,
          (...args: unknown[]) => (state.fails ? own(...args) : usual.apply(file, args)),
        ];
      }),
    ) as Partial<DiskFile>;
  });
  return openWal(dir, { disk, ...quiet });
}

async function answerOf({ durable }: Appended): Promise<() => Promise<string>> {
  const error: unknown = await durable.then(
    () => undefined,
    (failure: unknown) => failure,
  );
  assert.ok(isLodeError(error, 'LODE_WRITE_UNCERTAIN'), String(error));
  return error.details.resolve;
}

async function valuesIn(wal: Wal): Promise<number[]> {
  const values: number[] = [];
  for await (const { bytes } of wal.cursor()) values.push(bytes[0] ?? -1);
  return values;
}

const failSync = (): Partial<DiskFile> => ({
  datasync: async () => {
    throw broken;
  },
});

describe('a write that nobody knows about', () => {
  it('did not land when its segment was never made, whoever has the number of that now', async () => {
    const inner = await newDisk();
    const state = { fails: true };
    const wal = await openFailing(inner, state, failSync);
    const resolve = await answerOf(wal.append(record(1)));
    await wal.close();
    const again = await openWal(dir, { disk: inner, ...quiet });
    assert.equal(await resolve(), 'not-landed');
    again.appendSync(record(2));
    assert.equal(await resolve(), 'not-landed');
    again.appendSync(record(3));
    await again.close();
    assert.equal(await resolve(), 'not-landed');
  });

  it('is asked after record by record, as the first ones of a group may be there', async () => {
    const inner = await newDisk();
    const state = { fails: false };
    const wal = await openFailing(inner, state, (file) => ({
      writeSync(bytes, position) {
        file.writeSync(bytes.subarray(0, bytes.length - 3), position);
        throw broken;
      },
      truncateSync() {
        throw broken;
      },
    }));
    wal.appendSync(record(1));
    state.fails = true;
    const group = [2, 3, 4].map((value) => wal.append(record(value)));
    const asked = await Promise.all(group.map(answerOf));
    await wal.close();
    const again = await openWal(dir, { disk: inner, ...quiet });
    assert.deepEqual(await valuesIn(again), [1, 2, 3]);
    const answers = await Promise.all(asked.map((resolve) => resolve()));
    assert.deepEqual(answers, ['landed', 'landed', 'not-landed']);
    await again.close();
  });

  it('has no answer any more once that part of the log was released', async () => {
    const inner = await newDisk();
    const state = { fails: false };
    const wal = await openFailing(inner, state, failSync);
    wal.appendSync(record(1));
    state.fails = true;
    const resolve = await answerOf(wal.append(record(2)));
    await wal.close();
    const again = await openWal(dir, { disk: inner, ...quiet });
    assert.equal(await resolve(), 'landed');
    again.appendSync(record(3));
    assert.equal(await again.release(3), 1);
    await assert.rejects(resolve(), (error) => isLodeError(error, 'LODE_NOT_FOUND'));
    await again.close();
  });
});
