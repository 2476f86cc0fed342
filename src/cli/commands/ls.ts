/** `lode ls`: datasets and volumes of a store, or objects under a prefix. */
import { isLodeError } from 'lode';
import type { Store } from 'lode';
import type { Call, Command } from '../command.ts';
import { usage } from '../command.ts';
import { amounts, snapshotFacts } from '../facts.ts';
import { findAll, openFound } from '../find.ts';
import type { Found } from '../find.ts';
import { openStore } from '../open-store.ts';
import { bytesText, plainText, timeText } from '../text.ts';

export const command: Command = {
  options: {
    long: { type: 'boolean', short: 'l' },
    recursive: { type: 'boolean', short: 'r' },
  },
  takes: [1, 2],
  async run(call) {
    const store = await openStore(call);
    const prefix = call.args[1];
    if (prefix === undefined && !call.flag('recursive')) return listAll(call, store);
    return listObjects(call, store, prefix ?? '');
  },
};

async function listAll(call: Call, store: Store): Promise<void> {
  const { out } = call;
  const long = call.flag('long');
  if (out.json) return out.list({ command: 'ls' }, await listsOf(call, store, long));
  let any = false;
  for await (const found of findAll(call, store)) {
    any = true;
    const { id, kind } = found;
    const head = long ? await headOf(call, store, found) : undefined;
    const facts = head === undefined ? ['no snapshot'] : [head.createdAt, ...amounts(head)];
    const type = kind === 'volume' ? kind : found.layout.name;
    await out.line(plainText(long ? [id, type, ...facts].join('  ') : id));
  }
  if (!any) out.note('no datasets or volumes here');
}

/** Two lists, as they come in two: all datasets, then all volumes. */
async function listsOf(call: Call, store: Store, long: boolean): Promise<Record<Lists, object[]>> {
  const lists: Record<Lists, object[]> = { datasets: [], volumes: [] };
  for await (const found of findAll(call, store)) {
    const { id, kind } = found;
    const head = long ? await headOf(call, store, found) : undefined;
    const latest = head && snapshotFacts(head);
    if (kind === 'volume') lists.volumes.push({ id, latest });
    else lists.datasets.push({ id, layout: found.layout.name, latest });
  }
  return lists;
}

type Lists = 'datasets' | 'volumes';

async function headOf({ signal }: Call, store: Store, found: Found) {
  try {
    const keeper = await openFound(found, store, signal);
    return (await keeper.latest({ signal })).manifest;
  } catch (error) {
    if (isLodeError(error, 'LODE_NO_SNAPSHOTS')) return undefined;
    throw error;
  }
}

async function listObjects(call: Call, store: Store, prefix: string): Promise<void> {
  if (prefix.startsWith('/')) throw usage('a prefix does not start with a slash', prefix);
  const { out, signal } = call;
  const entries = call.flag('recursive')
    ? store.list(prefix, { signal })
    : store.list(prefix, { signal, delimiter: '/' });
  if (out.json) return out.list({ command: 'ls', prefix }, { objects: objectFacts(entries) });
  for await (const entry of entries) {
    const name = plainText('prefix' in entry ? entry.prefix : entry.key);
    if (!call.flag('long')) await out.line(name);
    else if ('prefix' in entry) await out.line(`${' '.repeat(32)}${name}`);
    else {
      const size = bytesText(entry.size).padStart(8);
      await out.line(
        `${size}  ${timeText(Math.floor(entry.lastModifiedMs / 1000) * 1000)}  ${name}`,
      );
    }
  }
}

type Entries = ReturnType<Store['list']>;

async function* objectFacts(
  entries: AsyncIterable<
    { readonly prefix: string } | (Entries extends AsyncIterable<infer T> ? T : never)
  >,
): AsyncGenerator<object> {
  for await (const entry of entries) {
    if ('prefix' in entry) yield { prefix: entry.prefix };
    else {
      const { key, size, etag, lastModifiedMs } = entry;
      yield { key, size, etag, lastModified: timeText(Math.floor(lastModifiedMs)) };
    }
  }
}
