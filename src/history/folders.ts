/** Snapshot ids by their folders, so that what lies in them is not listed. */
import type { CallOptions, Store } from '../store/store.ts';
import { isSnapshotId } from './names.ts';

export async function* foldersOf(
  store: Store,
  prefix: string,
  options: CallOptions,
): AsyncGenerator<string> {
  for await (const entry of store.list(prefix, { ...options, delimiter: '/' })) {
    if (!('prefix' in entry)) continue;
    const id = entry.prefix.slice(prefix.length, -1);
    if (isSnapshotId(id)) yield id;
  }
}
