/** `lode cat`: records as JSON Lines, or raw bytes; verified on their way. */
import type { Codec, DatasetManifest, ReadOptions, Store, Layout } from 'lode';
import { jsonl, openReader } from 'lode';
import type { Call, Command } from '../command.ts';
import { usage } from '../command.ts';
import { findSnapshot, openNamed } from '../find.ts';
import { openRaw } from '../raw.ts';
import { whereOf } from '../where.ts';

export const command: Command = {
  options: {
    partition: { type: 'string', short: 'p' },
    where: { type: 'string', short: 'w', multiple: true },
    columns: { type: 'string', short: 'c' },
    limit: { type: 'string', short: 'n' },
  },
  takes: [2, 3],
  async run(call) {
    if (call.json) throw usage('cat has no --json: records are JSON Lines already');
    const where = whereOf(call.texts('where'));
    const limit = call.count('limit');
    const named = await openNamed(call);
    if (named.kind === 'volume') throw usage('this is a volume: use lode volume read', named.id);
    const { store, layout, handle } = named;
    const { manifest } = await findSnapshot(handle, call.args[2], call.signal);
    if (manifest.codec === undefined) return rawBytes(call, store, layout, manifest);
    const partition = call.text('partition');
    const columns = call.text('columns')?.split(',');
    await records(call, store, layout, manifest, limit, {
      where,
      signal: call.signal,
      ...(partition === undefined ? {} : { partition }),
      ...(columns === undefined ? {} : { columns }),
    });
  },
};

type Row = Record<string, unknown>;

async function records(
  { out }: Call,
  store: Store,
  layout: Layout,
  manifest: DatasetManifest,
  limit: number | undefined,
  options: ReadOptions<Row>,
): Promise<void> {
  if (limit === 0) return;
  const reader = await openReader({ store, layout, codecs: await codecsFor(manifest) });
  const encoder = jsonl<Row>({ lineBytesMax: Number.MAX_SAFE_INTEGER }).encoder();
  let count = 0;
  try {
    for await (const record of reader.records<Row>(manifest, options)) {
      const block = await encoder.write(record, count++);
      if (block !== undefined) await out.bytes(block);
      if (count === limit) break;
    }
  } finally {
    // What came before a failure is as good as it was.
    if (options.signal?.aborted !== true) await out.bytes(await encoder.finish());
  }
}

/** Integers beyond 2^53 go through as they are. */
async function codecsFor({ codec }: DatasetManifest): Promise<Codec[]> {
  const exact = jsonl<unknown>({ integers: 'bigint' });
  if (codec !== 'parquet') return [exact];
  const { parquet } = await import('lode/parquet');
  return [exact, parquet() as Codec];
}

async function rawBytes(
  call: Call,
  store: Store,
  layout: Layout,
  manifest: DatasetManifest,
): Promise<void> {
  const { out, signal } = call;
  for (const option of ['partition', 'where', 'columns', 'limit'])
    if (call.text(option) !== undefined || call.texts(option).length > 0)
      throw usage(`--${option} is for records, and this snapshot is raw bytes`);
  const dataset = await openRaw(store, layout, manifest, signal);
  for await (const chunk of dataset.stream(manifest.snapshotId, { signal })) await out.bytes(chunk);
}
