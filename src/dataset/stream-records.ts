/**
 * Records from an iterable into data files, one at a time, in bounded memory.
 *
 * Each partition has one open file; when more than `openFilesMax` are open, the one longest unused is finished, and
 * should its partition turn up again, it gets a further file. Memory is that many encoder and upload buffers.
 */
import type { Codec, RecordEncoder } from '../encoding/codec.ts';
import type { Operation } from '../history/index.ts';
import type { ManifestFile } from './manifest/index.ts';
import type { Partitioner } from './partition.ts';
import type { CommitSession } from './session.ts';
import { StreamFile } from './stream-file.ts';
import type { Components } from './upload.ts';
import { described } from './write-records.ts';

interface RecordSink<R> {
  readonly op: Operation;
  readonly session: CommitSession;
  readonly codec: Codec<R>;
  readonly components: Components;
  readonly partitionOf: Partitioner;
  /** Name of the first file of a partition; further ones are numbered. */
  readonly fileName: (nth: number) => string;
  readonly openFilesMax: number;
}

interface OpenFile<R> {
  readonly encoder: RecordEncoder<R>;
  readonly file: StreamFile;
}

export class RecordFiles<R> {
  readonly #sink: RecordSink<R>;
  /** In order of last use. */
  readonly #open = new Map<string, OpenFile<R>>();
  /** Files begun per partition. */
  readonly #counts = new Map<string, number>();
  readonly #finished: ManifestFile[] = [];
  #current: { readonly partition: string; readonly open: OpenFile<R> } | undefined;

  constructor(sink: RecordSink<R>) {
    this.#sink = sink;
  }

  async write(record: R, index: number): Promise<void> {
    const { encoder, file } = await this.#fileFor(this.#sink.partitionOf(record, index));
    const written = encoder.write(record, index);
    const chunk = written instanceof Promise ? await written : written;
    if (chunk !== undefined) await file.write(chunk);
  }

  /** Finishes every file. Without partitions there is always one, be it empty. */
  async finish(hasPartitions: boolean): Promise<ManifestFile[]> {
    if (!hasPartitions && this.#counts.size === 0) await this.#fileFor('');
    for (const partition of this.#open.keys()) await this.#finishFile(partition);
    return this.#finished;
  }

  async abort(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ file }) => file.abort()));
  }

  async #fileFor(partition: string): Promise<OpenFile<R>> {
    if (this.#current?.partition === partition) return this.#current.open;
    const open = this.#open.get(partition) ?? (await this.#begin(partition));
    this.#open.delete(partition);
    this.#open.set(partition, open);
    this.#current = { partition, open };
    return open;
  }

  async #begin(partition: string): Promise<OpenFile<R>> {
    const { op, session, codec, components, fileName, openFilesMax } = this.#sink;
    for (const longestUnused of this.#open.keys()) {
      if (this.#open.size < openFilesMax) break;
      await this.#finishFile(longestUnused);
    }
    const nth = (this.#counts.get(partition) ?? 0) + 1;
    this.#counts.set(partition, nth);
    const path = session.dataKey(partition, fileName(nth));
    const open = { encoder: codec.encoder(), file: new StreamFile(op, path, components) };
    session.begun(path);
    this.#open.set(partition, open);
    return open;
  }

  async #finishFile(partition: string): Promise<void> {
    const open = this.#open.get(partition);
    if (open === undefined) return;
    const { encoder, file } = open;
    const end = await encoder.finish();
    await file.write(end);
    this.#finished.push(described(await file.finish(), { encoder, end }, this.#sink.components));
    this.#open.delete(partition);
    if (this.#current?.partition === partition) this.#current = undefined;
  }
}
