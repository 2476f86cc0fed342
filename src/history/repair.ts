/**
 * Repair: what a commit that was interrupted for good has left is completed, only ever forward.
 *
 * A pointer that somebody held and left is let go; a missing or empty one is put back to the newest snapshot that is nobody's parent; a pointer without manifest is fenced;
 * missing copies of manifests are written. Nothing is replaced and nothing is deleted.
 */
import type { HistoryFormat, SnapshotFacts } from './format.ts';
import type { Head, HeadFinder } from './head.ts';
import { walk } from './ancestors.ts';
import { awaitRelease, releaseHold } from './hold.ts';
import type { Operation } from './operation.ts';
import { forEachOf } from '../parallel.ts';
import { modeFor } from './publication.ts';
import type { Publisher } from './publish.ts';
import { nextSnapshotId } from './ids.ts';
import type { ETag } from '../store/store.ts';

export async function repair<M extends SnapshotFacts>(
  op: Operation,
  format: HistoryFormat<M>,
  heads: HeadFinder<M>,
  publisher: Publisher<M>,
  dryRun: boolean,
): Promise<string[]> {
  const repaired: string[] = [];
  const head = await awaitRelease(op, format, heads, await heads.find(op));
  const { pointed, manifest, dangling, held, etag } = head;
  if (pointed === undefined && manifest !== undefined) {
    if (dryRun || (await publisher.putPointer(op, manifest.snapshotId, modeFor(head))))
      repaired.push(format.pointerKey);
  }
  if (held && etag !== undefined) {
    // Whoever held it is gone, and Go cannot commit until it is let go.
    if (!dryRun && pointed !== undefined) await releaseHold(op, format, head, etag);
    if (!dryRun && pointed === undefined) await replaceFirst(op, publisher, etag);
    repaired.push(format.pointerKey);
  }
  if (dangling && pointed !== undefined) {
    if (dryRun || (await publisher.putFence(op, pointed, manifest)))
      repaired.push(format.manifestKey(pointed));
  }
  for await (const snapshot of walk(op, format, heads, { unreachable: true })) {
    repaired.push(...(await completeCopies(op, format, publisher, snapshot.manifest, dryRun)));
  }
  return repaired;
}

/** A first commit was cut off: naming nothing again would show its manifest. */
async function replaceFirst<M extends SnapshotFacts>(
  op: Operation,
  publisher: Publisher<M>,
  etag: ETag,
): Promise<void> {
  const fence = nextSnapshotId(op.env);
  if (await publisher.putFence(op, fence, undefined))
    await publisher.putPointer(op, fence, { ifMatch: etag });
}

/** Only what the last commit may have left undone: the pointer to it, and copies of its manifest. */
export async function completeHead<M extends SnapshotFacts>(
  op: Operation,
  format: HistoryFormat<M>,
  publisher: Publisher<M>,
  head: Head<M>,
): Promise<void> {
  const { pointed, manifest } = head;
  if (manifest === undefined) return;
  await completeCopies(op, format, publisher, manifest, false);
  if (pointed === undefined) await publisher.putPointer(op, manifest.snapshotId, modeFor(head));
}

async function completeCopies<M extends SnapshotFacts>(
  op: Operation,
  format: HistoryFormat<M>,
  publisher: Publisher<M>,
  manifest: M,
  dryRun: boolean,
): Promise<string[]> {
  const missing: string[] = [];
  await forEachOf(format.copyKeys(manifest), op.store.capabilities.concurrency, async (key) => {
    if ((await op.store.head(key, { signal: op.signal })) === undefined) missing.push(key);
  });
  if (missing.length === 0 || dryRun) return missing;
  const key = format.manifestKey(manifest.snapshotId);
  const canonical = await op.store.get(key, { signal: op.signal });
  const bytes = await canonical?.bytes();
  if (bytes === undefined) return [];
  // Copies stay for ever: what was damaged on its way here must not become one.
  format.decode(bytes, key, manifest.snapshotId);
  await forEachOf(missing, op.store.capabilities.concurrency, async (key) => {
    await publisher.putCopy(op, key, bytes);
  });
  return missing;
}
