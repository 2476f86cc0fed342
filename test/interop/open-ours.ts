/** Our dataset or reader for what a Go dataset was opened with. */
import {
  defaultLayout,
  flat,
  gzip,
  hive,
  jsonl,
  md5,
  none,
  openDataset,
  zstd,
} from '../../src/index.ts';
import type { Codec, Dataset, Layout, Store } from '../../src/index.ts';
import { parquet } from '../../src/parquet.ts';
import type { GoDataset } from './go-peer.ts';
import { exact } from './records.ts';
import type { Row } from './records.ts';

/** A record, or the bytes of a blob. */
export type Value = Row | Uint8Array;

const compressors = { noop: none, gzip, zstd } as const;

export function layoutOf({ layout, keys = [] }: GoDataset): Layout {
  if (layout === 'flat') return flat();
  if (layout !== 'hive') return defaultLayout();
  const [first = '', ...rest] = keys;
  return hive(first, ...rest);
}

export function codecOf({ codec, schema = [] }: GoDataset): Codec<Row> | undefined {
  if (codec === 'jsonl') return jsonl<Row>();
  return codec === 'parquet' ? parquet(exact(schema)) : undefined;
}

export function openOurs(store: Store, spec: GoDataset): Promise<Dataset<Value>> {
  const { compressor = 'noop', checksum } = spec;
  const options = {
    store,
    layout: layoutOf(spec),
    checksum: checksum === 'md5' ? md5() : (false as const),
    compressor: compressors[compressor](),
  };
  const codec = codecOf(spec);
  // The two kinds of dataset differ in the type of what they hold, and these tests hold both.
  return (codec === undefined
    ? openDataset(spec.dataset, options)
    : openDataset(spec.dataset, { ...options, codec })) as unknown as Promise<Dataset<Value>>;
}
