/**
 * The pointer: one small object whose content is the id of the latest snapshot (docs/formats/dataset.md, section 7).
 *
 * Its etag, not its text, is what a commit compares, so a pointer with stray white space is replaced like any other.
 * White space of one special kind says that a writer holds the pointer (`hold.ts`).
 */
import { utf8Decode } from '../bytes/index.ts';
import { LodeError } from '../errors.ts';
import type { ETag, StoredObject } from '../store/store.ts';
import type { Env } from '../env.ts';
import type { HistoryFormat, SnapshotFacts } from './format.ts';
import { nextSnapshotId } from './ids.ts';
import type { Operation } from './operation.ts';

/** Far above any id; a larger pointer is something else. */
const pointerBytesMax = 1024;

export interface Pointer {
  /** Id of the snapshot it names; `undefined` when it is empty or missing. */
  readonly snapshot: string | undefined;
  /** `undefined` when there is no pointer. */
  readonly etag: ETag | undefined;
  /** An id drawn right after it was read: ids above this one are younger than what was read. */
  readonly readAt: string;
  /** A writer is about to publish, and keeps Go off the pointer until then. */
  readonly held: boolean;
}

/** So much white space that no two holds are alike. */
const markLength = 48;
const mark = new RegExp(`\\n[ \\t]{${markLength}}$`);

/** What a pointer contains while it is held: Go trims it when it reads, and does not when it compares. */
export function heldText(env: Env, snapshot: string | undefined): string {
  let text = `${snapshot ?? ''}\n`;
  for (let i = 0; i < markLength; i++) text += env.random() < 0.5 ? ' ' : '\t';
  return text;
}

export async function readPointer<M extends SnapshotFacts>(
  format: HistoryFormat<M>,
  { store, env, signal }: Operation,
): Promise<Pointer> {
  const object = await store.get(format.pointerKey, { signal });
  const content = object && (await pointerText(object));
  const readAt = nextSnapshotId(env);
  const held = content !== undefined && mark.test(content);
  const text = content?.trim();
  if (!object || !text) return { snapshot: undefined, etag: object?.etag, readAt, held };
  if (!format.isSnapshotId(text)) throw notAPointer(object, text.slice(0, 64));
  return { snapshot: text, etag: object.etag, readAt, held };
}

async function pointerText(object: StoredObject): Promise<string> {
  if (object.size > pointerBytesMax) {
    await object.cancel();
    throw notAPointer(object, `${object.size} bytes`);
  }
  const bytes = await object.bytes();
  const text = utf8Decode(bytes);
  if (text === undefined) throw notAPointer(object, 'bytes that are not UTF-8');
  return text;
}

function notAPointer(object: StoredObject, actual: string): LodeError {
  return new LodeError('LODE_INVALID_FORMAT', 'the pointer does not hold a snapshot id', {
    key: object.key,
    expected: 'a snapshot id',
    actual,
    next: 'Find out who wrote it; then delete it: the next commit restores it from the manifests.',
  });
}
