/** `lode ls`: datasets of a store, or objects under a prefix. */
import { isLodeError } from 'lode';
import type { Store } from 'lode';
import type { Call, Command } from '../command.ts';
import { usage } from '../command.ts';
import { bytesOf, snapshotFacts } from '../facts.ts';
import { findDatasets, openFound } from '../find.ts';
import type { Found } from '../find.ts';
import { openStore } from '../open-store.ts';
import { bytesText, countText, plainText, timeText } from '../text.ts';

export const command: Command = {
  options: {
    long: { type: 'boolean', short: 'l' },
    recursive: { type: 'boolean', short: 'r' },
  },
  takes: [1, 2],
  async run(call) {
    const store = await openStore(call);
    const prefix = call.args[1];
    if (prefix === undefined && !call.flag('recursive')) return listDatasets(call, store);
    return listObjects(call, store, prefix ?? '');
  },
};

async function listDatasets(call: Call, store: Store): Promise<void> {
  const { out } = call;
  const long = call.flag('long');
  if (out.json) return out.list({ command: 'ls' }, 'datasets', datasetFacts(call, store, long));
  let any = false;
  for await (const found of findDatasets(call, store)) {
    any = true;
    const head = long ? await headOf(call, store, found) : undefined;
    const { id, layout } = found;
    const facts =
      head === undefined
        ? ['no snapshot']
        : [
            head.createdAt,
            countText(head.rowCount, 'row'),
            countText(head.files.length, 'file'),
            bytesText(bytesOf(head.files)),
          ];
    await out.line(plainText(long ? [id, layout.name, ...facts].join('  ') : id));
  }
  if (!any) out.note('no datasets here');
}

async function* datasetFacts(call: Call, store: Store, long: boolean): AsyncGenerator<object> {
  for await (const found of findDatasets(call, store)) {
    const { id, layout } = found;
    const head = long ? await headOf(call, store, found) : undefined;
    yield { id, layout: layout.name, latest: head && snapshotFacts(head) };
  }
}

async function headOf({ signal }: Call, store: Store, found: Found) {
  const dataset = await openFound(found, store, signal);
  try {
    return (await dataset.latest({ signal })).manifest;
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
  if (out.json) return out.list({ command: 'ls', prefix }, 'objects', objectFacts(entries));
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
