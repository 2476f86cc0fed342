/**
 * From records in memory to data files: one file per partition, uploaded in parallel.
 *
 * A file that encodes to less than `wholeBytesMax` is put in one piece; a larger one streams, and since the records stay
 * in memory it can be encoded again should the store need a second attempt.
 */
import { concat } from '../bytes/index.ts';
import type { Codec, RecordEncoder } from '../encoding/codec.ts';
import type { Operation } from '../history/index.ts';
import { forEachOf } from '../parallel.ts';
import { fileIndex } from './file-index.ts';
import type { ManifestFile } from './manifest/index.ts';
import { uploadBytes, uploadStream } from './upload.ts';
import type { Components, Uploaded } from './upload.ts';

const wholeBytesMax = 1024 * 1024;

export interface FilePlan<R> {
  readonly path: string;
  /** All records of the call, in the caller's order. */
  readonly records: readonly R[];
  /** Places of this file's records among them; every one when left out. */
  readonly indexes?: readonly number[];
}

/** Uploads all files, at most as many at once as the store likes. `begun` is told each path before it may exist. */
export async function writeFiles<R>(
  op: Operation,
  codec: Codec<R>,
  plans: readonly FilePlan<R>[],
  components: Components,
  begun: (path: string) => void,
): Promise<ManifestFile[]> {
  const [only] = plans;
  if (only !== undefined && plans.length === 1)
    return [await writeFile(op, codec, only, components, begun)];
  const files: ManifestFile[] = [];
  await forEachOf(plans, op.store.capabilities.concurrency, async (plan, i) => {
    files[i] = await writeFile(op, codec, plan, components, begun);
  });
  return files;
}

async function writeFile<R>(
  op: Operation,
  codec: Codec<R>,
  plan: FilePlan<R>,
  components: Components,
  begun: (path: string) => void,
): Promise<ManifestFile> {
  const start = new Encoding(codec, plan);
  const chunks: Uint8Array[] = [];
  let size = 0;
  while (!start.finished && size < wholeBytesMax) {
    const next = start.next();
    const chunk = next instanceof Promise ? await next : next;
    chunks.push(chunk);
    size += chunk.length;
  }
  begun(plan.path);
  if (start.finished)
    return described(
      await uploadBytes(op, plan.path, concat(chunks), components),
      start,
      components,
    );

  let latest = start;
  const open = async function* (): AsyncGenerator<Uint8Array> {
    const isFirst = chunks.length > 0;
    if (!isFirst) latest = new Encoding(codec, plan);
    yield* chunks.splice(0);
    while (!latest.finished) yield await latest.next();
  };
  return described(await uploadStream(op, plan.path, open, true, components), latest, components);
}

/** One file being encoded, chunk by chunk. */
class Encoding<R> {
  readonly encoder: RecordEncoder<R>;
  readonly #records: readonly R[];
  readonly #indexes: readonly number[] | undefined;
  #at = 0;
  finished = false;
  /** What `finish` returned: the end of the file. */
  end: Uint8Array = new Uint8Array(0);

  constructor(codec: Codec<R>, { records, indexes }: FilePlan<R>) {
    this.encoder = codec.encoder();
    this.#records = records;
    this.#indexes = indexes;
  }

  /** Encodes until a chunk is full; the last one, after all records, may be empty. */
  next(): Uint8Array | Promise<Uint8Array> {
    const count = (this.#indexes ?? this.#records).length;
    while (this.#at < count) {
      const index = this.#indexes === undefined ? this.#at : (this.#indexes[this.#at] ?? 0);
      this.#at++;
      const written = this.encoder.write(this.#records[index] as R, index);
      if (written instanceof Promise) return written.then((chunk) => chunk ?? this.next());
      if (written !== undefined) return written;
    }
    this.finished = true;
    const rest = this.encoder.finish();
    return rest instanceof Promise ? rest.then((end) => (this.end = end)) : (this.end = rest);
  }
}

/** Statistics and index are known once the encoder has finished. */
export function described(
  file: Uploaded,
  { encoder, end }: { readonly encoder: RecordEncoder<never>; readonly end: Uint8Array },
  { compressor }: Components,
): ManifestFile {
  const stats = encoder.statistics?.();
  const index = compressor.name === 'noop' ? fileIndex(encoder, end) : undefined;
  return {
    ...file,
    ...(stats === undefined ? {} : { stats }),
    ...(index === undefined ? {} : { index }),
  };
}
