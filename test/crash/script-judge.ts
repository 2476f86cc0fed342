/**
 * What a script may leave behind. Every object says which change wrote it, so that torn, stale and invented content are
 * told apart. A change that was refused with anything but `LODE_WRITE_UNCERTAIN` promised that the former content stands.
 */
import assert from 'node:assert/strict';
import { utf8Encode } from '../../src/bytes/index.ts';
import type { Store } from '../../src/store/store.ts';
import type { SyncRules } from '../../src/testing/index.ts';
import type { Change, Script } from './script.ts';
import { spansOf, type Span } from './marks.ts';

/** By key, the changes whose content may be found there; `undefined` stands for nothing at all. */
export type Expectation = ReadonlyMap<string, ReadonlySet<number | undefined>>;

/** Lines that name the change and what it guards, then bytes that no other change writes at the same place. */
export function contentOf(number: number, guarded: readonly string[], size: number): Uint8Array {
  const head = utf8Encode(`change ${number}\n${guarded.join(' ')}\n`);
  const bytes = new Uint8Array(Math.max(size, head.length));
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + number * 17 + (i >> 8)) & 0xff;
  bytes.set(head);
  return bytes;
}

export function expectation(changes: readonly Change[], marks: readonly string[]): Expectation {
  const spans = spansOf(marks);
  const byKey = new Map<string, Set<number | undefined>>();
  for (const key of new Set(changes.map((change) => change.key))) {
    const own = changes
      .filter((change) => change.key === key)
      .map((change) => ({ change, span: spans.get(change.number) }))
      .filter((one): one is { change: Change; span: Span } => one.span !== undefined);
    const kept = own.filter(({ span }) => span.outcome === 'ack');
    const after = (end: number): boolean => kept.some(({ span }) => span.begin > end);
    const possible = new Set<number | undefined>();
    // A create that found something said so: callers build on that, so it must have been there to stay.
    const found = own.some(({ change, span }) => change.creates && span.outcome === 'conflict');
    if (!after(-1) && !found) possible.add(undefined);
    for (const { change, span } of own) {
      // A removal that failed makes no promise: the object may be gone.
      const failed = span.outcome === 'fail' && change.bytes === undefined;
      const happened = failed || span.outcome === 'ack' || span.outcome === 'unsure';
      if (happened && !after(span.end))
        possible.add(change.bytes === undefined ? undefined : change.number);
    }
    byKey.set(key, possible);
  }
  return byKey;
}

/** Rejects unless the store holds, under each key, one of the contents expected there, whole, and nothing else. */
export async function judge(
  store: Store,
  changes: readonly Change[],
  expected: Expectation,
): Promise<void> {
  const found = new Map<string, Change>();
  for await (const { key } of store.list('')) {
    const object = await store.get(key);
    assert.ok(object, `${key} is listed but cannot be read`);
    found.set(key, changeOf(key, await object.bytes(), changes));
  }
  for (const key of found.keys()) assert.ok(expected.has(key), `nobody wrote ${key}`);
  for (const [key, possible] of expected) {
    const change = found.get(key);
    const wanted = [...possible].map((number) => number ?? 'nothing').join(' or ');
    assert.ok(
      possible.has(change?.number),
      `${key} holds ${change ? `change ${change.number}` : 'nothing'}, expected ${wanted}`,
    );
    if (change === undefined) {
      assert.equal(await store.head(key), undefined, `${key} is there but not listed`);
    }
    for (const guarded of change?.guarded ?? []) {
      assert.ok(found.has(guarded), `${key} names ${guarded}, which is missing`);
    }
  }
}

function changeOf(key: string, bytes: Uint8Array, changes: readonly Change[]): Change {
  const [number] = headOf(bytes) ?? [];
  const change = number === undefined ? undefined : changes[number];
  assert.ok(change?.bytes, `${key} is torn: ${bytes.length} bytes that no change wrote`);
  assert.equal(change.key, key, `${key} holds the content of ${change.key}`);
  assert.ok(
    Buffer.compare(bytes, change.bytes) === 0,
    `${key} is torn: not all of change ${change.number}`,
  );
  return change;
}

const latin1 = new TextDecoder('latin1');
const newline = 10;

/** The change that the bytes say wrote them, and the keys it guards. */
function headOf(bytes: Uint8Array): [number: number, guarded: string[]] | undefined {
  const first = bytes.indexOf(newline);
  const second = bytes.indexOf(newline, first + 1);
  if (first === -1 || second === -1) return undefined;
  const [title = '', guarded = ''] = latin1.decode(bytes.subarray(0, second)).split('\n');
  const number = Number(/^change (\d+)$/.exec(title)?.[1] ?? Number.NaN);
  return [number, guarded.split(' ').filter((key) => key !== '')];
}

/**
 * An acknowledged change is durable; what an object names is durable before the object has its name. Of keys that several
 * writers race for, an acknowledgement may find the next change under way: crash states judge those.
 */
export function rulesOf(
  changes: readonly Change[],
  raced: ReadonlySet<string>,
  { pathOf, keyOf }: Pick<Script, 'pathOf' | 'keyOf'>,
): SyncRules {
  return {
    promised(label) {
      const [what, number] = label.split(' ');
      const change = what === 'ack' ? changes[Number(number)] : undefined;
      return change === undefined || raced.has(change.key) ? [] : [pathOf(change.key)];
    },
    published: (path) => keyOf(path) !== undefined,
    references(path, bytes) {
      const [, guarded = []] = keyOf(path) === undefined ? [] : (headOf(bytes) ?? []);
      return guarded.map(pathOf);
    },
  };
}
