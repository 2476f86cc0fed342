/**
 * A log whose calls, failures and ends come in an order drawn from a seed: several lives on one disk, each closed, killed or cut off from its
 * power in the middle of whatever it does, and after each all that was promised has to be there.
 */
import assert from 'node:assert/strict';
import type { Disk } from '../../src/disk/disk.ts';
import { memoryDisk } from '../../src/disk/memory.ts';
import { openWal } from '../../src/journal.ts';
import type { Wal, WalOptions } from '../../src/journal.ts';
import { crashStates, recordingDisk, seededRandom, virtualEnv } from '../../src/testing/index.ts';
import { settled } from '../unit/journal/held-disk.ts';
import { assertTyped, LogPromises } from './log-promises.ts';
import { Schedule, scheduledDisk } from './scheduled-disk.ts';
import type { Rates, SyncErrors } from './scheduled-disk.ts';

const dir = '/log';

export interface Counts {
  records: number;
  failures: number;
  states: number;
}

export async function runSchedule(seed: number, counts: Counts): Promise<void> {
  const random = seededRandom(seed);
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const disk = recordingDisk();
  await disk.makeDirectory(dir);
  disk.syncDirectorySync('/');
  const isLarge = random() < 0.05;
  const options: WalOptions = {
    env: virtualEnv({ seed }),
    segmentBytes: pick(1, 200, 300, 1000),
    preallocateBytes: pick(0, 64, 4096),
    reserveBytes: pick(0, 256),
    pendingBytesMax: pick(3000, 1 << 26),
  };
  const sizes = isLarge ? [0, 700, 1 << 21] : pick([0, 1, 20], [5, 40, 200], [10, 100, 33_000]);
  const promises = new LogPromises();
  const syncErrors: SyncErrors = new Map();
  for (const isLast of pick([true], [false, true], [false, false, true])) {
    const life = new Life(new Schedule(random), promises, sizes);
    const end = isLast ? 'power' : pick('close', 'kill');
    await life.run(scheduledDisk(disk, life.schedule, syncErrors), options, end);
    counts.failures += life.schedule.failures;
  }
  counts.records += promises.attempts.length;
  const from = disk.recording.entries.length;
  const states = crashStates(disk.recording, { from, seed, subsetsMax: 3, samples: 8 });
  for (const { image, describe } of isLarge ? [] : states) {
    const wal = await openWal(dir, { ...options, disk: memoryDisk({ image }) });
    const found = await contentOf(wal);
    assert.doesNotThrow(() => promises.assertHolds(wal.firstLsn, found), describe());
    await wal.close();
    counts.states++;
  }
}

async function contentOf(wal: Wal): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for await (const { lsn, bytes } of wal.cursor())
    assert.equal(lsn, wal.firstLsn + found.push(bytes) - 1);
  return found;
}

/** One process that has the log. */
class Life {
  readonly schedule: Schedule;
  readonly #promises: LogPromises;
  readonly #sizes: readonly number[];
  readonly #open = new Set<Promise<void>>();
  readonly #problems: unknown[] = [];

  constructor(schedule: Schedule, promises: LogPromises, sizes: readonly number[]) {
    this.schedule = schedule;
    this.#promises = promises;
    this.#sizes = sizes;
  }

  async run(disk: Disk, options: WalOptions, end: 'close' | 'kill' | 'power'): Promise<void> {
    const { schedule } = this;
    schedule.isFree = true;
    const wal = await openWal(dir, { ...options, disk });
    await this.#promises.settle(wal.firstLsn, await contentOf(wal));
    schedule.isFree = false;
    const rate = [0, 0, 0.02, 0.1, 0.4][this.#upTo(5)] ?? 0;
    const all = { write: rate, sync: rate / 2, name: rate, read: rate / 2 };
    const rates: readonly Rates[] = [{ write: rate }, { write: rate }, { sync: rate / 2 }, all];
    schedule.rates = rates[this.#upTo(4)] ?? {};
    schedule.code = this.#upTo(2) === 0 ? 'LODE_STORAGE_FULL' : 'LODE_UNAVAILABLE';
    for (let left = 5 + this.#upTo(60); left > 0; left--) {
      if (this.#upTo(2) === 0) this.#call(wal);
      else schedule.letOne();
      for (let turns = this.#upTo(25); turns > 0; turns--) await Promise.resolve();
      if (this.#upTo(40) === 0) schedule.rates = {};
    }
    if (end === 'close') {
      if (this.#upTo(2) === 0) schedule.rates = {};
      this.#track(wal.close());
      for (let idle = 0; idle < 3; idle = schedule.waiting > 0 ? 0 : idle + 1) {
        schedule.letOne();
        await settled();
      }
      assert.equal(this.#open.size, 0, 'a call never ends');
      schedule.rates = {};
      schedule.isFree = true;
    } else {
      await schedule.kill();
      // What it had heard of already it still goes through.
      await settled();
      this.#promises.forget();
    }
    if (this.#problems.length > 0) throw this.#problems[0];
  }

  #upTo(count: number): number {
    return Math.floor(this.schedule.random() * count);
  }

  /** One call of the user's. */
  #call(wal: Wal): void {
    const calls: readonly (() => Promise<unknown> | void)[] = [
      () => wal.rotate(),
      () => wal.rotateSync(),
      () => wal.ready(),
      () => wal.flush(),
      () => this.#release(wal),
      () => this.#read(wal, false),
      () => this.#read(wal, true),
      ...Array.from({ length: 7 }, () => () => this.#append(wal)),
      ...Array.from({ length: 4 }, () => () => this.#appendSync(wal)),
    ];
    try {
      const ended = calls[this.#upTo(calls.length)]?.();
      if (ended !== undefined) this.#track(ended);
    } catch (error) {
      assertTyped(error);
    }
    const { firstLsn, durableLsn, nextLsn } = wal;
    assert.ok(firstLsn <= durableLsn + 1 && durableLsn < nextLsn);
  }

  #track(call: Promise<unknown>): void {
    const ended = call
      .then(() => {}, assertTyped)
      .catch((problem: unknown) => void this.#problems.push(problem))
      .finally(() => this.#open.delete(ended));
    this.#open.add(ended);
  }

  #record(): Uint8Array {
    return this.#promises.record(this.#sizes[this.#upTo(this.#sizes.length)] ?? 0);
  }

  #append(wal: Wal): Promise<void> {
    const bytes = this.#record();
    const { lsn, durable } = wal.append([bytes.subarray(0, 3), bytes.subarray(3)]);
    const attempt = this.#promises.begin(bytes, lsn);
    return durable.then(
      () => {
        assert.ok(lsn <= wal.durableLsn);
        attempt.fate = 'kept';
      },
      (error: unknown) => this.#promises.failed(attempt, error),
    );
  }

  #appendSync(wal: Wal): void {
    const bytes = this.#record();
    const attempt = this.#promises.begin(bytes, wal.nextLsn);
    try {
      assert.equal(wal.appendSync(bytes), attempt.lsn);
      assert.deepEqual([wal.durableLsn, wal.pendingBytes], [attempt.lsn, 0]);
      attempt.fate = 'kept';
    } catch (error) {
      this.#promises.failed(attempt, error);
    }
  }

  async #read(wal: Wal, follow: boolean): Promise<void> {
    const from = this.#upTo(2) === 0 ? undefined : wal.firstLsn + this.#upTo(5);
    let next = from;
    for await (const { lsn, bytes } of wal.cursor({ ...(from && { from }), follow })) {
      assert.equal(lsn, next ?? lsn);
      assert.ok(lsn <= wal.durableLsn);
      this.#promises.seen(lsn, bytes);
      next = lsn + 1;
    }
  }

  async #release(wal: Wal): Promise<void> {
    const before = Math.min(wal.firstLsn + this.#upTo(8), wal.durableLsn + 1);
    this.#promises.firstNeeded = Math.max(this.#promises.firstNeeded, before);
    await wal.release(before);
  }
}
