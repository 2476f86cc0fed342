/**
 * The room each combination of a fault matrix is tried in: a store, healthy below and broken above, time that costs nothing,
 * and a history of two snapshots to begin with. Made of a store in memory here; `wire-lab.ts` makes one of a bucket.
 */
import { hive as hiveBy, jsonl, memoryStore, openDataset, openVolume } from '../../src/index.ts';
import type { Dataset, DatasetOptions, Store, Volume, VolumeOptions } from '../../src/index.ts';
import { ForwardingStore } from '../../src/store/wrappers/forwarding.ts';
import { faultyStore, limitedStore, virtualEnv } from '../../src/testing/index.ts';
import type { StoreFault, VirtualEnv } from '../../src/testing/index.ts';

export interface Row {
  readonly city: string;
  readonly n: number;
}

export type Rows = Dataset<Row>;
type RowOptions = Partial<DatasetOptions<Row>> & { readonly signal?: AbortSignal };

/** Far more than any operation needs: one that asks so often will never end. */
const callsMax = 2_000;

/** Answers only so many calls, so that a loop without end becomes a call that hangs, and shows. */
class Patience extends ForwardingStore {
  #calls = 0;

  override async put(...args: Parameters<Store['put']>): ReturnType<Store['put']> {
    await this.#count();
    return super.put(...args);
  }

  override async get(...args: Parameters<Store['get']>): ReturnType<Store['get']> {
    await this.#count();
    return super.get(...args);
  }

  override async head(...args: Parameters<Store['head']>): ReturnType<Store['head']> {
    await this.#count();
    return super.head(...args);
  }

  #count(): Promise<void> | undefined {
    return ++this.#calls > callsMax ? new Promise(() => {}) : undefined;
  }
}

export interface LabOptions {
  readonly guarded: boolean;
  readonly hive?: boolean;
}

/** What a lab is made of. */
export interface Room {
  readonly env: VirtualEnv;
  /** The storage itself. */
  readonly healthy: Store;
  /** The same as faults hit it. */
  readonly broken: Store;
  readonly faults: { readonly fired: number; settle(): Promise<void> };
  close?(): Promise<void>;
}

export class FaultLab {
  readonly env: VirtualEnv;
  /** The storage itself. */
  readonly healthy: Store;
  /** The same as the operation under test sees it. */
  readonly broken: Store;
  readonly faults: Room['faults'];
  readonly options: RowOptions;
  readonly #room: Room;
  /** Faults hit only while this is set. */
  armed = false;

  /** `make` is told who knows whether faults may hit. */
  constructor(make: (lab: { readonly armed: boolean }) => Room, hive: boolean) {
    const room = make(this);
    this.#room = room;
    this.env = room.env;
    this.healthy = room.healthy;
    this.broken = new Patience(room.broken);
    this.faults = room.faults;
    this.options = hive ? { layout: hiveBy('city') } : {};
  }

  async close(): Promise<void> {
    await this.#room.close?.();
  }

  open(store: Store = this.broken, options: RowOptions = {}): Promise<Rows> {
    return openDataset('d', {
      store,
      codec: jsonl<Row>(),
      env: this.env,
      ...this.options,
      ...options,
    });
  }

  openBlobs(store: Store = this.broken): Promise<Dataset<Uint8Array>> {
    return openDataset('d', { store, env: this.env });
  }

  /** Commits by somebody else, whom no fault hits. */
  async commit(...names: string[]): Promise<string[]> {
    const other = await this.open(this.healthy, { retry: { attempts: 3 } });
    const ids: string[] = [];
    for (const name of names) ids.push((await other.write(rowsOf(name), { name })).id);
    return ids;
  }

  async commitBlobs(...names: string[]): Promise<string[]> {
    const other = await this.openBlobs(this.healthy);
    const ids: string[] = [];
    for (const name of names) ids.push((await other.write([bytesOf(name)], { name })).id);
    return ids;
  }

  openVolume(
    store: Store = this.broken,
    options: Partial<VolumeOptions> & { readonly signal?: AbortSignal } = {},
  ): Promise<Volume> {
    const length = volumeBytes;
    return openVolume('d', { store, env: this.env, length, blockBytes: 40, ...options });
  }

  /** Commits to the volume by somebody else, whom no fault hits. */
  async commitBlocks(manifests: VolumeForm, ...names: string[]): Promise<string[]> {
    const other = await this.openVolume(this.healthy, { manifests });
    const ids: string[] = [];
    for (const name of names) {
      const staged = await other.stageWriteAt(offsetOf(name), blockOf(name));
      ids.push((await other.commit([staged], { name })).id);
    }
    return ids;
  }

  /** Every key with its version: what reading must leave alone. */
  async content(): Promise<string[]> {
    const content: string[] = [];
    for await (const { key, etag } of this.healthy.list('')) content.push(`${key} ${etag}`);
    return content;
  }
}

/** A lab of a store in memory. */
export function memoryLab(fault: StoreFault, { guarded, hive = false }: LabOptions): FaultLab {
  const env = virtualEnv();
  const memory = memoryStore({ env });
  // As object storage is: nothing can be written under the pointer's lock, and commits in flight are waited for.
  const healthy = guarded ? memory : limitedStore(memory, { guardedPut: false, settleMs: 200 });
  return new FaultLab((lab) => {
    const faults = faultyStore(healthy, { ...fault, key: () => lab.armed });
    return { env, healthy, broken: faults.store, faults };
  }, hive);
}

export type VolumeForm = NonNullable<VolumeOptions['manifests']>;

/** Each commit to the volume has a place of its own; what is left is for operations that need more. */
const places = ['first', 'second', 'third', 'rival', 'ours', 'next'];
/** Two blocks and a bit. */
export const placeBytes = 90;
export const volumeBytes = 2_000;

export function offsetOf(name: string): number {
  return places.indexOf(name) * placeBytes;
}

export function blockOf(name: string): Uint8Array {
  return bytesOf(name, placeBytes);
}

/** What a snapshot of that name holds. */
export function rowsOf(name: string): Row[] {
  return ['Oslo', 'Bergen', 'Oslo'].map((city, i) => ({ city, n: name.length * 10 + i }));
}

export function bytesOf(name: string, length = 64): Uint8Array {
  return new Uint8Array(length).map((_, i) => name.charCodeAt(i % name.length));
}
