/**
 * Verification: every object that a snapshot refers to is read whole and compared with what was committed.
 *
 * Manifests cover data files by size and digest, and themselves by a checksum; partition copies have to equal the
 * canonical manifest byte for byte. Nothing is changed. Memory is bounded by the manifests under way.
 */
import { compareUtf8, sameContent } from '../bytes/index.ts';
import type { Checksum } from '../encoding/checksum.ts';
import { isLodeError, LodeError } from '../errors.ts';
import { assertSnapshotId, readStored } from '../history/index.ts';
import type { CallOptions, Operation } from '../history/index.ts';
import { forEachOf } from '../parallel.ts';
import type { DatasetContext } from './context.ts';

import { partitionsOf } from './history-format.ts';
import type { DatasetManifest, ManifestFile } from './manifest/index.ts';

export interface VerifyOptions extends CallOptions {
  /** Only this snapshot; otherwise every one that exists. */
  readonly snapshot?: string;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyProgress {
  readonly snapshots: number;
  readonly objects: number;
  readonly bytes: number;
}

export interface Problem {
  readonly snapshot: string | undefined;
  readonly key: string;
  readonly error: LodeError;
}

export interface VerifyReport extends VerifyProgress {
  /** Objects that are missing, cut or altered; empty when all is well. */
  readonly problems: readonly Problem[];
  /** Files that could be compared by size only: their manifest names no checksum. */
  readonly unchecked: number;
}

export async function verifySnapshots<R>(
  op: Operation,
  context: DatasetContext<R>,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const verifier = new Verifier(op, context, options.onProgress);
  if (options.snapshot !== undefined) {
    assertSnapshotId(options.snapshot);
    await verifier.snapshot(options.snapshot, 'there is no such snapshot');
  } else {
    for await (const id of context.history.ids(op)) await verifier.snapshot(id);
    await verifier.parents();
    await verifier.head();
    if (verifier.isEmpty()) {
      throw new LodeError('LODE_NO_SNAPSHOTS', 'there is no dataset of this name to verify', {
        dataset: context.id,
      });
    }
  }
  return verifier.report();
}

const lostAncestor = 'the manifest of an ancestor is not there';

class Verifier<R> {
  readonly #op: Operation;
  readonly #context: DatasetContext<R>;
  readonly #onProgress: ((progress: VerifyProgress) => void) | undefined;
  readonly #problems: Map<string, Problem> = new Map();
  /** Parents that no listed id has been yet: one at a time along a history, whose ids come newest first. */
  readonly #awaited = new Set<string>();
  #snapshots = 0;
  #objects = 0;
  #bytes = 0;
  #unchecked = 0;
  #isEmpty = false;

  constructor(
    op: Operation,
    context: DatasetContext<R>,
    onProgress?: (progress: VerifyProgress) => void,
  ) {
    this.#op = op;
    this.#context = context;
    this.#onProgress = onProgress;
  }

  /** There is nothing: no snapshot but places that fences hold, not even a damaged one. */
  isEmpty(): boolean {
    return this.#isEmpty && this.#problems.size === 0;
  }

  report(): VerifyReport {
    return {
      snapshots: this.#snapshots,
      objects: this.#objects,
      bytes: this.#bytes,
      problems: [...this.#problems.values()],
      unchecked: this.#unchecked,
    };
  }

  /** @param missing  What is wrong when there is no manifest; left out where none is promised. */
  async snapshot(id: string, missing?: string): Promise<void> {
    const isParent = this.#awaited.delete(id);
    const { id: dataset, options, history } = this.#context;
    const key = options.layout.manifestKey(dataset, id);
    await this.#check(id, key, async () => {
      const manifest = await history.fetch(this.#op, id);
      // A folder without manifest is data that was never committed: nothing promises anything about it.
      if (manifest === undefined && missing === undefined && !isParent) return;
      if (manifest === undefined)
        throw new LodeError('LODE_NOT_FOUND', missing ?? lostAncestor, { key });
      this.#snapshots++;
      const parent = manifest.parentSnapshotId;
      // One with a larger id (a slow writer elsewhere) was listed before.
      if (parent !== undefined && compareUtf8(parent, id) < 0) this.#awaited.add(parent);
      await this.#copies(manifest, key);
      const checksum = this.#checksumOf(manifest);
      await forEachOf(manifest.files, this.#op.store.capabilities.concurrency, (file) =>
        this.#check(id, file.path, () => this.#file(file, checksum)),
      );
    });
    this.#onProgress?.({ snapshots: this.#snapshots, objects: this.#objects, bytes: this.#bytes });
  }

  /** What was not listed and is somebody's parent: snapshots from before canonical manifests, or lost ones. */
  async parents(): Promise<void> {
    for (const id of this.#awaited) await this.snapshot(id, lostAncestor);
  }

  /** The pointer has to name a snapshot that is there. */
  async head(): Promise<void> {
    const key = this.#context.options.layout.pointerKey(this.#context.id);
    await this.#check(undefined, key, async () => {
      const { dangling, pointed, manifest } = await this.#context.history.head(this.#op);
      this.#isEmpty = dangling === undefined && manifest === undefined;
      if (pointed === undefined && manifest !== undefined) {
        throw new LodeError('LODE_NOT_FOUND', 'the pointer is missing or empty', {
          key,
          expected: manifest.snapshotId,
          next: 'Call repair().',
        });
      }
      if (dangling === undefined) return;
      throw new LodeError('LODE_NOT_FOUND', 'the pointer names a snapshot that has no manifest', {
        key,
        snapshot: dangling,
        next: 'Call repair() once no writer can still be at work on it.',
      });
    });
  }

  async #file(file: ManifestFile, checksum: Checksum | undefined): Promise<void> {
    if (checksum === undefined || file.checksum === undefined) this.#unchecked++;
    for await (const chunk of readStored(this.#op.store, file, {
      checksum,
      signal: this.#op.signal,
    })) {
      this.#bytes += chunk.length;
    }
  }

  async #copies(manifest: DatasetManifest, canonicalKey: string): Promise<void> {
    const { id: dataset, options } = this.#context;
    const { layout } = options;
    const partitions = partitionsOf(manifest, layout);
    if (partitions.length === 0) return;
    const canonical = await this.#bytesOf(canonicalKey);
    await forEachOf(partitions, this.#op.store.capabilities.concurrency, (partition) => {
      const key = layout.manifestKey(dataset, manifest.snapshotId, partition);
      return this.#check(manifest.snapshotId, key, async () => {
        const copy = await this.#bytesOf(key);
        if (canonical === undefined || (copy !== undefined && sameContent(copy, canonical))) return;
        throw copy === undefined
          ? new LodeError('LODE_NOT_FOUND', 'a partition lacks its copy of the manifest', {
              key,
              next: 'Call repair().',
            })
          : new LodeError('LODE_MANIFEST_INVALID', 'a copy of the manifest differs from it', {
              key,
            });
      });
    });
  }

  async #bytesOf(key: string): Promise<Uint8Array | undefined> {
    const object = await this.#op.store.get(key, { signal: this.#op.signal });
    return object?.bytes();
  }

  #checksumOf(manifest: DatasetManifest): Checksum | undefined {
    const name = manifest.checksumAlgorithm;
    if (name === undefined) return undefined;
    const own = this.#context.options.checksum;
    return own?.name === name ? own : this.#context.checksumByName(name);
  }

  /** Counts one object and notes what is wrong with it. Failures that say nothing about the object are rethrown. */
  async #check(
    snapshot: string | undefined,
    key: string,
    look: () => Promise<void>,
  ): Promise<void> {
    this.#objects++;
    try {
      await look();
    } catch (error) {
      if (!isLodeError(error) || !tellsOfObject(error)) throw error;
      const at = error.details.key ?? key;
      // The manifest of the head is met twice, a parent of many snapshots more often.
      if (!this.#problems.has(at)) this.#problems.set(at, { snapshot, key: at, error });
    }
  }
}

/** Whether the object is at fault, not storage or caller: also what a damaged manifest asks for in vain. */
function tellsOfObject({ kind, code }: LodeError): boolean {
  return (
    kind === 'corrupt' || kind === 'missing' || kind === 'invalid' || code === 'LODE_FORMAT_TOO_NEW'
  );
}
