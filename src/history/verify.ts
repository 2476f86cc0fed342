/**
 * Verification: every object that a snapshot refers to is read whole and compared with what was committed.
 *
 * Manifests cover data files by size and digest, and themselves by a checksum; partition copies have to equal the
 * canonical manifest byte for byte. Nothing is changed. Memory is bounded by the manifests under way.
 */
import { compareUtf8, sameContent } from '../bytes/index.ts';
import type { Checksum } from '../encoding/checksum.ts';
import { isLodeError, LodeError } from '../errors.ts';
import type { Subject } from '../errors.ts';
import { assertOptions } from '../options.ts';
import { forEachOf, mapInOrder } from '../parallel.ts';
import type { HistoryFormat, SnapshotFacts } from './format.ts';
import type { History } from './history.ts';
import { assertSnapshotId } from './names.ts';
import type { CallOptions, Operation } from './operation.ts';
import { readStored } from './stored-file.ts';
import type { StoredFile } from './stored-file.ts';

/** What a paradigm tells a verifier about its objects. */
export interface Verification<M extends SnapshotFacts> {
  readonly subject: Subject;
  readonly history: History<M>;
  readonly format: HistoryFormat<M>;
  /** What a manifest names and has not been compared yet, with the algorithm of its digest. */
  files(manifest: M): Iterable<VerifiedFile>;
}

export interface VerifiedFile extends StoredFile {
  readonly algorithm: Checksum | undefined;
}
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

export async function verifySnapshots<M extends SnapshotFacts>(
  op: Operation,
  verification: Verification<M>,
  options: VerifyOptions,
): Promise<VerifyReport> {
  assertOptions<VerifyOptions>(options, '', { snapshot: true, onProgress: true, signal: true });
  const verifier = new Verifier(op, verification, options.onProgress);
  if (options.snapshot !== undefined) {
    assertSnapshotId(options.snapshot);
    await verifier.snapshot(options.snapshot, 'there is no such snapshot');
  } else {
    for await (const id of verification.history.ids(op)) await verifier.snapshot(id);
    await verifier.parents();
    await verifier.head();
    if (verifier.isEmpty()) {
      const what = 'there is nothing of this name to verify';
      throw new LodeError('LODE_NO_SNAPSHOTS', what, { ...verification.subject });
    }
  }
  return verifier.report();
}

const toldEvery = 256;
const lostAncestor = 'the manifest of an ancestor is not there';

class Verifier<M extends SnapshotFacts> {
  readonly #op: Operation;
  readonly #of: Verification<M>;
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
    verification: Verification<M>,
    onProgress?: (progress: VerifyProgress) => void,
  ) {
    this.#op = op;
    this.#of = verification;
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
    const { format, history } = this.#of;
    const key = format.manifestKey(id);
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
      const { concurrency } = this.#op.store.capabilities;
      const files = mapInOrder(this.#of.files(manifest), concurrency, (file) =>
        this.#check(id, file.path, () => this.#file(file)),
      );
      for await (const _ of files) if (this.#objects % toldEvery === 0) this.#tell();
    });
    this.#tell();
  }

  /** What was not listed and is somebody's parent: snapshots from before canonical manifests, or lost ones. */
  async parents(): Promise<void> {
    for (const id of this.#awaited) await this.snapshot(id, lostAncestor);
  }

  /** The pointer has to name a snapshot that is there. */
  async head(): Promise<void> {
    const key = this.#of.format.pointerKey;
    await this.#check(undefined, key, async () => {
      const { dangling, pointed, manifest } = await this.#of.history.head(this.#op);
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

  #tell(): void {
    this.#onProgress?.({ snapshots: this.#snapshots, objects: this.#objects, bytes: this.#bytes });
  }

  async #file(file: VerifiedFile): Promise<void> {
    const { algorithm: checksum } = file;
    if (checksum === undefined || file.checksum === undefined) this.#unchecked++;
    for await (const chunk of readStored(this.#op.store, file, {
      checksum,
      signal: this.#op.signal,
    })) {
      this.#bytes += chunk.length;
    }
  }

  async #copies(manifest: M, canonicalKey: string): Promise<void> {
    const copies = this.#of.format.copyKeys(manifest);
    if (copies.length === 0) return;
    const canonical = await this.#bytesOf(canonicalKey);
    await forEachOf(copies, this.#op.store.capabilities.concurrency, (key) => {
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
