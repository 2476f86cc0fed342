/** Work on a write-ahead log: appends alone and together, new segments, snapshots and what they let go of. */
import assert from 'node:assert/strict';
import type { Disk } from '../../../src/disk/disk.ts';
import type { Env } from '../../../src/env.ts';
import {
  listSnapshots,
  openSnapshot,
  openWal,
  writeSnapshot,
  type Wal,
  type WalOptions,
} from '../../../src/journal.ts';
import { isLodeError } from '../../../src/errors.ts';
import { howItFailed, spansOf } from '../marks.ts';
import { labEnv, type Lab, type Workload } from '../workload.ts';

const dir = '/log';

interface Script {
  readonly name: string;
  readonly options?: WalOptions;
  readonly work: (log: MarkedLog) => Promise<void>;
}

/** A log that marks what it promises; after a failure it is opened again, as a program would. */
class MarkedLog {
  wal: Wal | undefined;
  readonly #lab: Lab;
  readonly #options: WalOptions;
  #number: number;

  constructor(lab: Lab, options: WalOptions, number: number) {
    this.#lab = lab;
    this.#options = options;
    this.#number = number;
  }

  #opening: Promise<Wal | undefined> | undefined;

  /** Undefined when the disk does not allow it. */
  open(): Promise<Wal | undefined> {
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #open(): Promise<Wal | undefined> {
    if (this.wal !== undefined && this.wal.failure === undefined) return this.wal;
    try {
      await this.close();
      this.wal = await openLog(this.#lab.disk, this.#lab.env, this.#options);
    } catch (error) {
      this.#other(error);
    }
    return this.wal;
  }

  async append(size: number): Promise<void> {
    const wal = await this.open();
    if (wal === undefined) return;
    const number = this.#begin();
    try {
      await wal.append(recordOf(number, size)).durable;
      this.#lab.mark(`ack ${number} ${wal.segments().at(-1)?.name}`);
    } catch (error) {
      this.#lab.mark(`${howItFailed(error)} ${number} ${String(error)}`);
    }
  }

  async appendSync(size: number): Promise<void> {
    const wal = await this.open();
    if (wal === undefined) return;
    const number = this.#begin();
    try {
      for (;;) {
        try {
          wal.appendSync(recordOf(number, size));
          break;
        } catch (error) {
          if (!isLodeError(error, 'LODE_NOT_READY')) throw error;
          await wal.ready();
        }
      }
      this.#lab.mark(`ack ${number} ${wal.segments().at(-1)?.name}`);
    } catch (error) {
      this.#lab.mark(`${howItFailed(error)} ${number} ${String(error)}`);
    }
  }

  /** Writes what the log holds to a snapshot, then lets go of the log below it. */
  async snapshot(): Promise<void> {
    const wal = await this.open();
    if (wal === undefined) return;
    try {
      const { journalId, durableLsn: lsn } = wal;
      const numbers = await numbersIn(this.#lab.disk, wal);
      const state = [new TextEncoder().encode(JSON.stringify(numbers))];
      const facts = { journalId, lsn, timeMs: 0, codec: 'json', version: '1' };
      const { disk, env } = this.#lab;
      await writeSnapshot(dir, state, { ...facts, disk, env });
      await wal.rotate();
      await wal.release(lsn + 1);
    } catch (error) {
      this.#other(error);
    }
  }

  async close(): Promise<void> {
    const wal = this.wal;
    this.wal = undefined;
    await wal?.close().catch((error: unknown) => this.#other(error));
  }

  #begin(): number {
    const number = this.#number++;
    this.#lab.mark(`begin ${number}`);
    return number;
  }

  /** Of what acknowledges nothing, only that it failed as it should. */
  #other(error: unknown): void {
    if (howItFailed(error) === 'untyped') this.#lab.mark(`untyped ${String(error)}`);
  }
}

async function openLog(disk: Disk, env: Env, options: WalOptions): Promise<Wal> {
  await disk.makeDirectory(dir);
  const [newest] = await listSnapshots(dir, { disk });
  const after = newest && { after: newest.lsn };
  return openWal(dir, { disk, env, preallocateBytes: 0, reserveBytes: 0, ...options, ...after });
}

/** Of the newest snapshot, which has to verify, and of the records behind it. */
async function numbersIn(disk: Disk, wal: Wal): Promise<number[]> {
  const [newest] = await listSnapshots(dir, { disk });
  const numbers: number[] = [];
  if (newest !== undefined) {
    const snapshot = await openSnapshot(`${dir}/${newest.name}`, { disk });
    let text = '';
    for await (const chunk of snapshot.chunks()) text += new TextDecoder().decode(chunk);
    await snapshot.close();
    numbers.push(...(JSON.parse(text) as number[]));
  }
  const from = (newest?.lsn ?? 0) + 1;
  for await (const { lsn, bytes } of wal.cursor({ from })) {
    assert.equal(lsn, numbers.length + 1, 'the log has no gap');
    numbers.push(numberIn(bytes));
  }
  return numbers;
}

function recordOf(number: number, size: number): Uint8Array[] {
  const bytes = new Uint8Array(4 + size).fill(0x40 + (number % 64), 4);
  new DataView(bytes.buffer).setUint32(0, number);
  return [bytes.subarray(0, 7), bytes.subarray(7)];
}

function numberIn(bytes: Uint8Array): number {
  const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const wrong = bytes.subarray(4).findIndex((byte) => byte !== 0x40 + (number % 64));
  assert.equal(wrong, -1, `record ${number} is whole`);
  return number;
}

function logWorkload({ name, options = {}, work }: Script): Workload {
  const run = async (lab: Lab, first: number): Promise<void> => {
    const log = new MarkedLog(lab, options, first);
    await work(log);
    await log.close();
  };
  return {
    name: `log: ${name}`,
    isRestless: true,
    run: (lab) => run(lab, 1),
    resume: (lab) => run(lab, 1001),
    async verify(disk, marks) {
      const wal = await openLog(disk, labEnv(0), options);
      const numbers = await numbersIn(disk, wal);
      // Ended as a kill would: a clean close would hide what the next opening has to deal with.
      await wal.close();
      const found = new Set(numbers);
      assert.equal(found.size, numbers.length, 'nothing is there twice');
      const spans = spansOf(marks);
      for (const number of numbers) {
        const span = spans.get(number);
        assert.ok(span, `record ${number} was never appended`);
        assert.notEqual(span.outcome, 'fail', `record ${number} was refused, and is there`);
      }
      for (const [number, { outcome }] of spans) {
        if (outcome === 'ack') assert.ok(found.has(number), `record ${number} is lost`);
      }
    },
    rules: {
      // The last segment, as it is when the record is acknowledged.
      promised(label) {
        const [what, , segment] = label.split(' ');
        return what === 'ack' ? [`${dir}/${segment}`] : [];
      },
      published: (path) => /\.(log|snap)$|reserve$/.test(path),
    },
  };
}

const times = async (count: number, work: () => Promise<void>): Promise<void> => {
  for (let i = 0; i < count; i++) await work();
};

/** Later and later: the others are gathered, in flight, or on their way to a new segment by then. */
const turns = (count: number): Promise<void> => times(count, () => Promise.resolve());

export const logWorkloads: readonly Workload[] = [
  { name: 'one record at a time', work: (log: MarkedLog) => times(5, () => log.append(20)) },
  {
    name: 'records that share a sync',
    work: async (log: MarkedLog) => {
      await log.append(1);
      await Promise.all([30, 10, 700, 0].map((size) => log.append(size)));
      await Promise.all([5, 600].map((size) => log.append(size)));
    },
  },
  {
    name: 'new segments',
    options: { segmentBytes: 150, preallocateBytes: 64 },
    work: (log: MarkedLog) => times(5, () => log.append(40)),
  },
  {
    name: 'records longer than a page',
    options: { preallocateBytes: 512, reserveBytes: 64 },
    work: async (log: MarkedLog) => {
      await log.append(5);
      await Promise.all([log.append(33_000), log.append(3)]);
      await log.append(1);
    },
  },
  {
    name: 'closed and opened',
    work: (log: MarkedLog) =>
      times(3, async () => {
        await Promise.all([log.append(10), log.append(12)]);
        await log.close();
      }),
  },
  {
    name: 'synchronous appends',
    options: { preallocateBytes: 256 },
    work: async (log: MarkedLog) => {
      await log.appendSync(10);
      await Promise.all([log.append(10), log.appendSync(600)]);
      await log.appendSync(1);
    },
  },
  {
    name: 'synchronous appends to new segments',
    options: { segmentBytes: 150, preallocateBytes: 64, reserveBytes: 64 },
    work: (log: MarkedLog) => times(6, () => log.appendSync(40)),
  },
  {
    name: 'synchronous appends that overtake others',
    options: { segmentBytes: 300 },
    work: (log: MarkedLog, turn = 6) =>
      times(5, async () => {
        const others = [log.append(30), log.append(60)];
        await turns((turn += 3));
        await Promise.all([...others, log.appendSync(20), log.append(10), log.appendSync(50)]);
      }),
  },
  {
    name: 'snapshots',
    options: { segmentBytes: 200 },
    work: (log: MarkedLog) =>
      times(3, async () => {
        await Promise.all([log.append(30), log.append(60)]);
        await log.append(50);
        await log.snapshot();
      }),
  },
].map(logWorkload);
