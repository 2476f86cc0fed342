/**
 * A Go process, step by step: what Lode for Go asks of an object store when it commits and when it looks for the head, in its
 * order (docs/formats/dataset.md). One instance, one call at a time, as Go has it.
 */
import { utf8Decode } from '../../src/bytes/index.ts';
import type { Store } from '../../src/index.ts';

const root = 'datasets/d';
const pointerKey = `${root}/latest`;
const manifestKey = (id: string): string => `${root}/snapshots/${id}/manifest.json`;

/** What a commit lost: the pointer was no longer what it was. */
export class GoConflict extends Error {}

export class GoSteps {
  readonly #store: Store;
  readonly #now: () => bigint;
  /** What this instance takes for the head, without asking. */
  #last: string | undefined;

  constructor(store: Store, now: () => bigint) {
    this.#store = store;
    this.#now = now;
  }

  /** The head, and the pointer is moved to it where it named none: the rewind. */
  async latest(): Promise<string | undefined> {
    const named = (await this.#text(pointerKey))?.trim() ?? '';
    if (named !== '' && (await this.#text(manifestKey(named))) !== undefined)
      return (this.#last = named);
    const newest = await this.#scan();
    if (newest === undefined) return undefined;
    await this.#swap(named, newest).catch((error: unknown) => {
      if (!(error instanceof GoConflict)) throw error;
    });
    return (this.#last = newest);
  }

  async write(by: string, retries: number): Promise<string> {
    const id = String(this.#now());
    for (let attempt = 0; ; attempt++) {
      if (attempt > 0) await this.latest();
      const { parent, expected } = await this.#parent();
      try {
        await this.#swap(expected, id);
      } catch (error) {
        if (error instanceof GoConflict && attempt < retries) continue;
        throw error;
      }
      await this.putManifest(id, by, parent);
      return (this.#last = id);
    }
  }

  /** The half of a commit that comes after the pointer. */
  async putManifest(id: string, by: string, parent: string | undefined): Promise<void> {
    const manifest = {
      schema_name: 'lode-manifest',
      format_version: '1.0.0',
      dataset_id: 'd',
      snapshot_id: id,
      created_at: '2026-01-01T00:00:00Z',
      metadata: { by },
      files: [],
      ...(parent === undefined ? {} : { parent_snapshot_id: parent }),
      row_count: 0,
      codec: 'jsonl',
      compressor: 'noop',
      partitioner: 'noop',
    };
    const { outcome } = await this.#store.put(manifestKey(id), JSON.stringify(manifest));
    if (outcome === 'conflict') throw new GoConflict();
  }

  async #parent(): Promise<{ parent: string | undefined; expected: string }> {
    if (this.#last !== undefined) return { parent: this.#last, expected: this.#last };
    const expected = (await this.#text(pointerKey))?.trim() ?? '';
    if (expected !== '' && (await this.#store.head(manifestKey(expected))) !== undefined)
      return { parent: expected, expected };
    return { parent: await this.#scan(), expected };
  }

  /** Looks at the whole content, and replaces it only if it still has the ETag it was read with. */
  async #swap(expected: string, id: string): Promise<void> {
    const object = await this.#store.get(pointerKey);
    const content = object && utf8Decode(await object.bytes());
    if ((content ?? '') !== expected) throw new GoConflict();
    const mode = object === undefined ? 'create' : { ifMatch: object.etag };
    const { outcome } = await this.#store.put(pointerKey, id, { mode });
    if (outcome === 'conflict') throw new GoConflict();
  }

  async #scan(): Promise<string | undefined> {
    let newest: string | undefined;
    for await (const { key } of this.#store.list(`${root}/snapshots/`)) {
      const [, id] = /\/snapshots\/([^/]+)\/manifest\.json$/.exec(key) ?? [];
      if (id !== undefined && (newest === undefined || id > newest)) newest = id;
    }
    return newest;
  }

  async #text(key: string): Promise<string | undefined> {
    const object = await this.#store.get(key);
    return object && utf8Decode(await object.bytes());
  }
}
