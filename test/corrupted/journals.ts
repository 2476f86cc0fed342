/**
 * The persisted formats of journals: segments and snapshots, with wrong checksums and with right ones, the note of the owner, and what an
 * export leaves in a dataset. Without a forged checksum nothing may be read that was never there: events say which they are.
 */
import type { Disk } from '../../src/disk/disk.ts';
import { memoryStore, openDataset } from '../../src/index.ts';
import type { Dataset, Store } from '../../src/index.ts';
import {
  crc32c,
  exportJournal,
  inspectWal,
  maskCrc32c,
  openJournal,
  readWal,
  recover,
  restoreJournal,
} from '../../src/journal.ts';
import type { Journal, JournalOptions } from '../../src/journal.ts';
import { virtualEnv } from '../../src/testing/index.ts';
import { dir, diskOf, readFile } from '../journal/sample.ts';
import { exhaust, inStore, taken } from './in-store.ts';
import type { CorruptedFormat } from './in-store.ts';
import { byteMutations, jsonMutations } from './mutate.ts';
import type { Dice, Mutation } from './mutate.ts';

const count = 24;

type Events = Journal<string[], string>;
type Files = ReadonlyMap<string, Uint8Array>;

function open(
  disk: Disk,
  options: Partial<JournalOptions<string[], string>> = {},
): Promise<Events> {
  return openJournal<string[], string>(dir, {
    initial: () => [],
    apply: (events, event) => void events.push(event),
    segmentBytes: 600,
    preallocateBytes: 0,
    reserveBytes: 0,
    disk,
    ...options,
  });
}

/** Any other byte in it makes it another event. */
function eventOf(n: number): string {
  return `${n}:${'x'.repeat(40 + (n % 7))}`;
}

/** Two openings, a snapshot in each, several segments behind them. */
async function sample(): Promise<Files> {
  const disk = await diskOf(new Map());
  for (let n = 1; n <= count;) {
    const journal = await open(disk, { env: virtualEnv() });
    for (const half = n + count / 2; n < half; n++) {
      await journal.append(eventOf(n));
      if (n % 9 === 0) await journal.snapshot();
    }
    await journal.close();
  }
  const files = new Map<string, Uint8Array>();
  for (const { name } of await disk.list(dir)) {
    files.set(name, await readFile(disk, `${dir}/${name}`));
  }
  return files;
}

let once: Promise<Files> | undefined;

/** Whether these are the first events, and all of them where that is promised. */
type Check = (state: readonly string[], isWhole: boolean) => void;

const assertEvents: Check = (state, isWhole) => {
  if (state.some((event, i) => event !== eventOf(i + 1)))
    throw new TypeError(`wrong state: ${state.join()}`);
  if (isWhole && state.length !== count) throw new TypeError(`${state.length} events`);
};

async function look(
  disk: Disk,
  options: Partial<JournalOptions<string[], string>>,
  check: Check,
  isWhole: boolean,
): Promise<void> {
  const journal = await open(disk, options);
  try {
    check(journal.state.slice(0, count), isWhole);
    for await (const { lsn, event } of journal.replay()) check(eventsTo(lsn, event), false);
    await journal.verify();
  } finally {
    await journal.close();
  }
}

/** What a journal with this as its event at this place would have as its state. */
function eventsTo(lsn: number, event: string): string[] {
  return lsn > count ? [] : [...Array.from({ length: lsn - 1 }, (_, i) => eventOf(i + 1)), event];
}

/** What is left of it is a journal that can be gone on with, now and the next time. */
async function goOn(disk: Disk, check: Check): Promise<void> {
  const first = await open(disk, { recovery: 'last-good' });
  const kept = first.state.length;
  check(first.state, false);
  await first.append(eventOf(kept + 1));
  await first.close();
  const again = await open(disk, { recovery: 'strict' });
  check(again.state, false);
  const { length } = again.state;
  await again.close();
  if (length !== kept + 1) throw new TypeError(`${length} events after one more than ${kept}`);
}

type Reader = (disk: Disk, check: Check, isWhole: boolean) => Promise<unknown>;

const readers: readonly Reader[] = [
  (disk, check, isWhole) => look(disk, {}, check, isWhole),
  (disk, check, isWhole) => look(disk, { recovery: 'strict' }, check, isWhole),
  (disk, check) => look(disk, { recovery: 'salvage' }, check, false),
  (disk, check) => look(disk, { until: { lsn: 15 } }, check, false),
  (disk, check) => goOn(disk, check),
  (disk) => recover(dir, { disk, dryRun: true, recovery: 'last-good' }),
  async (disk, check) => {
    const { lsn } = await recover(dir, { disk, until: { lsn: 15 } });
    if (lsn !== 15) throw new TypeError(`went back to ${lsn}`);
    await goOn(disk, check);
  },
  (disk) => inspectWal(dir, { disk, recovery: 'last-good' }),
  (disk) => exhaust(readWal(dir, { disk })),
  async (disk, check, isWhole) => {
    const dataset = await newDataset(memoryStore());
    await exportJournal(dir, dataset, { disk });
    const copy = await diskOf(new Map());
    await restoreJournal(dir, dataset, { disk: copy });
    await look(copy, { recovery: 'strict' }, check, isWhole);
  },
];

/** Files of a journal that match, one of them damaged. `isForged`: its checksums say that it is right. */
function inJournal(
  name: string,
  pattern: RegExp,
  mutations: readonly Mutation[],
  isForged = false,
): CorruptedFormat {
  let turn = 0;
  let whole: Files = new Map();
  const check: Check = isForged ? () => {} : assertEvents;
  return {
    name,
    mutations,
    async goldens() {
      whole = await (once ??= sample());
      return [...whole].filter(([file]) => pattern.test(file)).map(([, bytes]) => bytes);
    },
    async read(bytes, original) {
      const files = new Map(whole);
      const [file = ''] = [...whole].find(([, found]) => found === original) ?? [];
      files.set(file, bytes);
      const last = [...whole.keys()]
        .filter((each) => each.endsWith('.log'))
        .sort()
        .at(-1);
      // A last segment that ends between two groups is a shorter log.
      await taken(readers, turn++)?.(await diskOf(files), check, file !== last);
    },
  };
}

const numbers = [
  0n,
  1n,
  25n,
  255n,
  0xffff_ffffn,
  2n ** 31n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 64n - 1n,
];

/** Changes what one frame holds, and makes its checksum right. */
function forged(name: string, change: (payload: Uint8Array, d: Dice) => void): Mutation {
  return {
    name: `${name}, forged`,
    apply(bytes, _, d) {
      const damaged = bytes.slice();
      const view = new DataView(damaged.buffer);
      const frames: number[] = [];
      for (let at = 0; at + 11 < damaged.length; at += 11 + view.getUint16(at + 4, true))
        frames.push(at);
      // The first and the last one say most.
      const at = d.pick([0, frames.at(-1) ?? 0, d.pick(frames)]);
      const end = at + 11 + view.getUint16(at + 4, true);
      change(damaged.subarray(at + 6, end), d);
      view.setUint32(at, maskCrc32c(crc32c(damaged.subarray(at + 6, end))), true);
      return damaged;
    },
  };
}

const forgeries: readonly Mutation[] = [
  forged('other bytes', (bytes, d) => {
    bytes[d.below(bytes.length)] = d.below(256);
  }),
  forged('length lies', (bytes, d) => {
    const size = d.pick([1, 2, 4, 8]);
    if (bytes.length < size) return;
    const value = Buffer.alloc(8);
    value.writeBigUInt64LE(d.pick(numbers));
    bytes.set(value.subarray(0, size), d.below(bytes.length - size + 1));
  }),
  forged('endless numbers', (bytes, d) => {
    const at = Math.min(bytes.length, 8 + d.below(8));
    bytes.fill(0xff, at, at + 10);
  }),
  forged('another kind', (bytes, d) => {
    bytes[d.pick([0, 5])] = d.below(256);
  }),
];

const ownerLies: Mutation = {
  name: 'lies of the owner',
  apply(_, __, d) {
    const epoch = d.pick([
      '-1',
      '9007199254740991',
      '9007199254740990',
      '1e400',
      '1.5',
      '"1"',
      'null',
      '{}',
    ]);
    const holder = d.pick(['"x"', '"\\u0000"', '1', '[]', JSON.stringify('x'.repeat(5000))]);
    return new TextEncoder().encode(`{"epoch":${epoch},"holder":${holder}}\n`);
  },
};

function newDataset(store: Store): Promise<Dataset<Uint8Array>> {
  // Without a seal, which would end most attacks at once.
  return openDataset('backup', { store, settleMs: 0, manifestChecksum: false });
}

async function exported(): Promise<Store> {
  const store = memoryStore();
  const disk = await diskOf(new Map());
  const dataset = await newDataset(store);
  for (let n = 1; n <= count;) {
    const journal = await open(disk, { env: virtualEnv() });
    for (const part = n + count / 4; n < part; n++) await journal.append(eventOf(n));
    await journal.close();
    await exportJournal(dir, dataset, { disk });
  }
  return store;
}

const exports = {
  fill: exported,
  readers: [
    async (store: Store): Promise<void> => {
      const disk = await diskOf(new Map());
      await restoreJournal(dir, await newDataset(store), { disk });
      await look(disk, { recovery: 'strict' }, assertEvents, true);
    },
    async (store: Store): Promise<void> => {
      const disk = await diskOf(await (once ??= sample()));
      const { lsn } = await exportJournal(dir, await newDataset(store), { disk });
      if (lsn !== count) throw new TypeError(`exported to ${lsn}`);
    },
  ],
};

export const journalFormats: readonly CorruptedFormat[] = [
  inJournal('journal segment', /\.log$/, byteMutations),
  inJournal('journal segment, forged', /\.log$/, forgeries, true),
  inJournal('journal snapshot', /\.snap$/, byteMutations),
  inJournal('journal snapshot, forged', /\.snap$/, forgeries, true),
  inJournal('owner of a journal', /^owner$/, [ownerLies, ...byteMutations]),
  inStore(exports, 'exported journal', /data\/blob$/, byteMutations),
  inStore(exports, 'manifest of an exported journal', /manifest\.json$/, jsonMutations),
];
