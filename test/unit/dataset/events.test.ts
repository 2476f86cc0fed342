/** At risk: an operator who is told nothing, or something that did not happen; records or secrets in what is told. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { hive } from '../../../src/dataset/index.ts';
import { LodeError, openReader, withRetry } from '../../../src/index.ts';
import type { LodeEvents, Logger, Store } from '../../../src/index.ts';
import { ForwardingStore } from '../../../src/store/wrappers/forwarding.ts';
import { all, bedOf, fails, manifestKey, onBoth, pointerKey } from './bed.ts';

type Name = keyof LodeEvents;
type Told = { [N in Name]: { readonly name: N; readonly event: LodeEvents[N] } }[Name];

const names: readonly Name[] = [
  'lode:request',
  'lode:retry',
  'lode:commit',
  'lode:conflict',
  'lode:wait',
  'lode:fence',
  'lode:repair',
];

let told: Told[] = [];
const listeners = names.map((name) => ({
  name,
  listen: (event: unknown): void => void told.push({ name, event } as Told),
}));
const isOf =
  <N extends Name>(name: N) =>
  (one: Told): one is Extract<Told, { readonly name: N }> =>
    one.name === name;
const of = <N extends Name>(name: N): LodeEvents[N][] =>
  told.filter(isOf(name)).map(({ event }) => event as LodeEvents[N]);
/** What was told besides requests. */
const rest = (): Told[] => told.filter(({ name }) => name !== 'lode:request');
const requests = (): string[] =>
  of('lode:request').map(({ method, key, outcome }) => `${method} ${key} ${outcome}`);

beforeEach(() => {
  told = [];
  for (const { name, listen } of listeners) subscribe(name, listen);
});
afterEach(() => {
  for (const { name, listen } of listeners) unsubscribe(name, listen);
});

function logbook(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const at =
    (level: string) =>
    (message: string): void =>
      void lines.push(`${level}: ${message}`);
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn') };
}

/** Holds back the first put of a key that `picks` until `go()`. */
class StalledStore extends ForwardingStore {
  readonly reached: Promise<void>;
  readonly #picks: (key: string) => boolean;
  #go = (): void => {};
  #reach = (): void => {};
  #used = false;

  constructor(inner: Store, picks: (key: string) => boolean) {
    super(inner);
    this.#picks = picks;
    this.reached = new Promise((resolve) => (this.#reach = resolve));
  }

  go(): void {
    this.#go();
  }

  override async put(...args: Parameters<Store['put']>): ReturnType<Store['put']> {
    if (!this.#used && this.#picks(args[0])) {
      this.#used = true;
      const gone = new Promise<void>((resolve) => (this.#go = resolve));
      this.#reach();
      await gone;
    }
    return this.inner.put(...args);
  }
}

/** Refuses so many of the next calls. */
class FailingStore extends ForwardingStore {
  puts = 0;
  gets = 0;

  override async put(...args: Parameters<Store['put']>): ReturnType<Store['put']> {
    if (this.puts-- > 0) throw new LodeError('LODE_UNAVAILABLE', 'busy', { key: args[0] });
    return this.inner.put(...args);
  }

  override async get(...args: Parameters<Store['get']>): ReturnType<Store['get']> {
    if (this.gets-- > 0) throw new LodeError('LODE_UNAVAILABLE', 'busy', { key: args[0] });
    return this.inner.get(...args);
  }
}

void describe('requests and commits', () => {
  onBoth('are told once each, and nothing else where nothing goes wrong', async (bed) => {
    const logger = logbook();
    const dataset = await bed.records({ logger });
    assert.deepEqual(requests(), [`get ${pointerKey} missing`]);
    await dataset.write([{ n: 1 }]);
    told = [];
    const { id, manifest, cost } = await dataset.write([{ n: 2 }]);
    assert.equal(of('lode:request').length, cost.requests);
    const puts = requests().sort();
    assert.deepEqual(puts, [
      `put ${pointerKey} ok`,
      `put datasets/ds/snapshots/${id}/data/data ok`,
      `put ${manifestKey(id)} ok`,
    ]);
    const parent = manifest.parentSnapshotId;
    assert.deepEqual(
      rest().map(({ event }) => event),
      [{ dataset: 'ds', snapshot: id, parent, retries: 0, missingCopies: [] }],
    );
    assert.deepEqual(logger.lines, ['debug: committed', 'debug: committed']);
  });

  it('reads, listings and a reader are told by what they ask', async () => {
    const bed = bedOf('guarded put');
    const dataset = await bed.records();
    const { id } = await dataset.write([{ n: 1 }]);
    told = [];
    await dataset.snapshots().next();
    await fails(dataset.snapshot('none'), 'LODE_NOT_FOUND');
    const listing = of('lode:request').find(({ method }) => method === 'list');
    assert.deepEqual(
      { ...listing, ms: 0 },
      {
        store: 'memory',
        method: 'list',
        key: 'datasets/ds/snapshots/',
        outcome: 'ok',
        count: 1,
        ms: 0,
      },
    );
    assert.ok(requests().includes(`get ${manifestKey('none')} missing`));
    told = [];
    const reader = await openReader({ store: bed.store });
    await reader.manifest({ dataset: 'ds', id });
    assert.deepEqual(requests(), [`get ${manifestKey(id)} ok`]);
    assert.deepEqual(rest(), []);
  });

  it('a request that fails is told with its code, and fails as it would unheard', async () => {
    const bed = bedOf('guarded put');
    const faulty = new FailingStore(bed.store);
    const dataset = await bed.records({ store: faulty });
    await dataset.write([{ n: 1 }]);
    told = [];
    faulty.gets = 1;
    await fails(dataset.latest(), 'LODE_UNAVAILABLE');
    const [request] = of('lode:request');
    assert.deepEqual([request?.outcome, request?.code], ['failed', 'LODE_UNAVAILABLE']);
    assert.equal(told.length, 1);
  });

  it('listeners and loggers that throw change nothing', async () => {
    const bed = bedOf('guarded put');
    const full = (): never => {
      throw new Error('disk full');
    };
    const dataset = await bed.records({ logger: { debug: full, info: full, warn: full } });
    await dataset.write([{ n: 1 }]);
    assert.equal(of('lode:commit').length, 1);
  });
});

void describe('conflicts', () => {
  onBoth('one that is reported', async (bed) => {
    const logger = logbook();
    const a = await bed.records({ logger });
    const first = await a.write([{ n: 1 }]);
    await (await bed.records()).write([{ n: 2 }]);
    told = [];
    await fails(a.write([{ n: 3 }]), 'LODE_SNAPSHOT_CONFLICT');
    const lost = { dataset: 'ds', expectedHead: first.id, retried: false, fenced: false };
    assert.deepEqual(rest(), [{ name: 'lode:conflict', event: lost }]);
    assert.equal(logger.lines.at(-1), 'info: another writer committed first');
  });

  onBoth('one that is tried again, and then the commit', async (bed) => {
    const a = await bed.records({ retry: { attempts: 1 } });
    const first = await a.write([{ n: 1 }]);
    await (await bed.records()).write([{ n: 2 }]);
    told = [];
    const third = await a.write([{ n: 3 }]);
    assert.equal(third.cost.conflicts, 1);
    const lost = { dataset: 'ds', expectedHead: first.id, retried: true, fenced: false };
    assert.deepEqual(of('lode:conflict'), [lost]);
    assert.deepEqual(
      rest().map(({ name }) => name),
      ['lode:conflict', 'lode:commit'],
    );
    assert.equal(of('lode:commit')[0]?.retries, 1);
  });
});

void describe('retries', () => {
  it('are told with their reason, and are in the cost of the commit', async () => {
    const bed = bedOf('guarded put');
    const logger = logbook();
    const faulty = new FailingStore(bed.store);
    const store = withRetry(faulty, { env: bed.env, jitter: 0 });
    const dataset = await bed.records({ store, logger });
    await dataset.write([{ n: 1 }]);
    told = [];
    faulty.puts = 2;
    const { id, cost } = await dataset.write([{ n: 2 }]);
    assert.deepEqual([cost.requests, cost.retries], [3, 2]);
    const key = `datasets/ds/snapshots/${id}/data/data`;
    assert.deepEqual(of('lode:retry'), [
      { key, failures: 1, delayMs: 50, code: 'LODE_UNAVAILABLE' },
      { key, failures: 2, delayMs: 100, code: 'LODE_UNAVAILABLE' },
    ]);
    const sentAgain = logger.lines.filter((line) => line === 'info: request sent again');
    assert.equal(sentAgain.length, 2);
  });
});

void describe('the commits of others', () => {
  it('one in flight is waited for, one that never finishes is fenced, its writer is told', async () => {
    const bed = bedOf('compare-and-swap');
    await (await bed.records()).write([{ n: 1 }]);
    const slow = new StalledStore(bed.store, (key) => key.endsWith('manifest.json'));
    const a = await bed.records({ store: slow });
    await a.latest();
    const late = fails(a.write([{ by: 'a' }]), 'LODE_FENCED');
    await slow.reached;
    told = [];
    const logger = logbook();
    const b = await bed.records({ logger });
    const { id } = await b.write([{ by: 'b' }]);
    const [wait] = of('lode:wait');
    assert.equal(wait?.reason, 'commit');
    assert.ok((wait?.ms ?? 0) >= 5_000);
    const snapshot = of('lode:fence')[0]?.snapshot ?? '';
    assert.equal(wait?.key, manifestKey(snapshot));
    assert.deepEqual(
      rest().map(({ name }) => name),
      ['lode:wait', 'lode:fence', 'lode:commit'],
    );
    assert.equal(of('lode:commit')[0]?.snapshot, id);
    assert.deepEqual(logger.lines, [
      'info: waited for another writer',
      'warn: fenced a commit that never finished',
      'debug: committed',
    ]);
    told = [];
    slow.go();
    await late;
    assert.deepEqual(of('lode:conflict'), [
      { dataset: 'ds', expectedHead: undefined, retried: false, fenced: true },
    ]);
    assert.equal(rest().length, 1);
  });

  it('a lock that another holds for seconds', async () => {
    const bed = bedOf('guarded put');
    const logger = logbook();
    const dataset = await bed.records({ logger });
    await dataset.write([{ n: 1 }]);
    told = [];
    let isHeld = (): void => {};
    const held = new Promise<void>((resolve) => (isHeld = resolve));
    const done = new Error('done');
    const beforePublish = async (): Promise<never> => {
      isHeld();
      await bed.env.sleep(2_000);
      throw done;
    };
    const holder = bed.store.put(pointerKey, '', { mode: 'overwrite', beforePublish });
    const released = assert.rejects(holder, done);
    await held;
    await dataset.write([{ n: 2 }]);
    await released;
    const [wait] = of('lode:wait');
    assert.deepEqual([wait?.reason, wait?.key], ['lock', pointerKey]);
    assert.ok((wait?.ms ?? 0) >= 1_000);
    assert.equal(of('lode:wait').length, 1);
    assert.ok(logger.lines.includes('info: waited for another writer'));
  });

  it('repair tells what it wrote, and nothing when there was nothing, or in a dry run', async () => {
    const bed = bedOf('guarded put');
    const logger = logbook();
    const dataset = await bed.records({ logger });
    await dataset.write([{ n: 1 }]);
    await dataset.repair();
    await bed.store.delete(pointerKey);
    await dataset.repair({ dryRun: true });
    assert.deepEqual(of('lode:repair'), []);
    await dataset.repair();
    assert.deepEqual(of('lode:repair'), [{ dataset: 'ds', keys: [pointerKey] }]);
    assert.equal(logger.lines.at(-1), 'warn: completed what an interrupted commit left');
  });

  it('a head of another layout', async () => {
    const bed = bedOf('guarded put');
    await (await bed.records()).write([{ n: 1 }]);
    const logger = logbook();
    const wrong = await bed.records({ layout: hive('n'), logger });
    await fails(wrong.latest(), 'LODE_LAYOUT_MISMATCH');
    assert.deepEqual(logger.lines, ['warn: the head was written with another layout']);
  });
});

void describe('payloads', () => {
  onBoth('hold keys and facts, never what was written', async (bed) => {
    const logged: unknown[] = [];
    const log = (...given: unknown[]): void => void logged.push(given);
    const faulty = new FailingStore(bed.store);
    const store = withRetry(faulty, { env: bed.env });
    const logger = { debug: log, info: log, warn: log };
    const dataset = await bed.records({ store, logger, retry: { attempts: 1 } });
    await dataset.write([{ text: 'canary-record' }], { note: 'canary-metadata' });
    await (await bed.records()).write([{ n: 2 }]);
    faulty.puts = 1;
    const { id } = await dataset.write([{ text: 'canary-record' }], { note: 'canary-metadata' });
    await dataset.read(id);
    await all(dataset.snapshots());
    const text = inspect([told, logged], { depth: 9 });
    for (const name of ['lode:request', 'lode:retry', 'lode:commit', 'lode:conflict'] as const)
      assert.ok(of(name).length > 0, name);
    assert.ok(!text.includes('canary'));
  });
});

void it('a store is watched only while somebody listens', async () => {
  for (const { name, listen } of listeners) unsubscribe(name, listen);
  const bed = bedOf('guarded put');
  const dataset = await bed.records();
  await dataset.write([{ n: 1 }]);
  assert.deepEqual(told, []);
  for (const { name, listen } of listeners) subscribe(name, listen);
  await dataset.write([{ n: 2 }]);
  assert.equal(of('lode:commit').length, 1);
  assert.equal(of('lode:request').length, 3);
});
