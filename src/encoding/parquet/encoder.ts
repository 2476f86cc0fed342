/**
 * Records to a Parquet file, a row group at a time: memory is bounded by one row group, however long the file.
 *
 * What it writes can be read by the Go implementation, which finds columns by place and page indexes by arithmetic: columns in
 * ascending byte order of names, timestamps in nanoseconds, one compression, no page indexes at all, no ordinals.
 */
import type { ColumnChunk, RowGroup } from 'hyparquet';
import type { ColumnSource, ParquetWriter, SchemaElement } from 'hyparquet-writer';
import { LodeError, assert } from '../../errors.ts';
import { crc32c, hex32 } from '../checksums/crc32c.ts';
import type { FileStatistics, RecordEncoder } from '../codec.ts';
import { Acceptor } from './accept.ts';
import type { Stored } from './accept.ts';
import { ColumnBuffer } from './column-buffer.ts';
import { chunkSumsKey, createdBy } from './footer.ts';
import { elementsOf } from './elements.ts';
import type { Field } from './schema.ts';
import { sealPages } from './seal-pages.ts';
import type { PageCompressor } from './page-compressors.ts';
import { storedOrder } from './schema.ts';

type Peer = typeof import('hyparquet-writer');

interface EncoderOptions {
  readonly fields: readonly Field[];
  readonly compressor: PageCompressor;
  readonly rowGroupRows: number;
  readonly rowGroupBytes: number;
}

/** Uncompressed bytes of a page: small enough to skip to, large enough to compress. */
const pageBytes = 1 << 20;

export class ParquetEncoder<R> implements RecordEncoder<R> {
  readonly #options: EncoderOptions;
  readonly #fields: readonly Field[];
  readonly #acceptor: Acceptor;
  readonly #columns: readonly ColumnBuffer[];
  readonly #row: (Stored | null)[];
  readonly #given: unknown[];
  readonly #peer: Promise<Peer>;
  #file: OpenFile | undefined;
  #rows = 0;
  #groupRows = 0;
  #groupBytes = 0;
  #indexBytes = 0;
  /** Of every column chunk written, for readers of single columns. */
  readonly #chunkSums: string[] = [];

  constructor(options: EncoderOptions) {
    this.#options = options;
    this.#fields = storedOrder(options.fields);
    this.#acceptor = new Acceptor(this.#fields);
    this.#columns = this.#fields.map((field) => new ColumnBuffer(field));
    this.#row = this.#fields.map(() => null);
    this.#given = this.#fields.map(() => undefined);
    this.#peer = loadPeer();
    // Awaited when the first row group is full; until then a missing peer must not count as unhandled.
    this.#peer.catch(() => undefined);
  }

  write(record: R, index: number): Promise<Uint8Array> | undefined {
    this.#acceptor.accept(record, index, this.#row, this.#given);
    for (let i = 0; i < this.#columns.length; i++)
      this.#groupBytes += (this.#columns[i] as ColumnBuffer).add(
        this.#row[i] as Stored | null,
        this.#given[i],
      );
    this.#rows++;
    this.#groupRows++;
    const full =
      this.#groupRows >= this.#options.rowGroupRows ||
      this.#groupBytes >= this.#options.rowGroupBytes;
    if (!full) return undefined;
    return this.#flush();
  }

  async finish(): Promise<Uint8Array> {
    const file = await this.#open();
    if (this.#groupRows > 0) await this.#writeGroup(file);
    const value = this.#chunkSums.join('');
    if (value !== '') file.parquet.kvMetadata = [{ key: chunkSumsKey, value }];
    await file.parquet.finish();
    const end = file.out.take();
    const view = new DataView(end.buffer, end.byteOffset, end.byteLength);
    // The footer, its length and the magic number.
    this.#indexBytes = view.getUint32(end.length - 8, true) + 8;
    return end;
  }

  indexBytes(): number {
    return this.#indexBytes;
  }

  statistics(): FileStatistics {
    const byName = new Map(this.#columns.map((column) => [column.field.name, column]));
    return {
      rowCount: this.#rows,
      columns: this.#options.fields.map((field) =>
        (byName.get(field.name) as ColumnBuffer).statistics(),
      ),
    };
  }

  async #open(): Promise<OpenFile> {
    if (this.#file !== undefined) return this.#file;
    const { ByteWriter, ParquetWriter } = await this.#peer;
    class Output extends ByteWriter {
      /** Hands over what has been written since the last time. */
      take(): Uint8Array {
        const bytes = this.getBytes().slice();
        this.index = 0;
        return bytes;
      }

      /** Puts other bytes in place of those written since the buffer held `from`. */
      replace(from: number, bytes: Uint8Array): void {
        this.offset -= this.index - from;
        this.index = from;
        this.appendBytes(bytes);
      }
    }
    const out = new Output(1 << 16);
    const parquet = new ParquetWriter({
      writer: out,
      schema: elementsOf(this.#fields) as SchemaElement[],
      codec: 'UNCOMPRESSED',
      createdBy,
      // Bounds are known already. The peer would also cut long ones short, and say so in members that Go stumbles over.
      statistics: false,
      statisticsTruncateLength: Infinity,
    });
    this.#file ??= { out, parquet };
    return this.#file;
  }

  async #flush(): Promise<Uint8Array> {
    const file = await this.#open();
    await this.#writeGroup(file);
    return file.out.take();
  }

  async #writeGroup({ parquet, out }: OpenFile): Promise<void> {
    const columnData: ColumnSource[] = this.#columns.map((column) => column.source());
    const { index, offset } = out;
    // Without a `flush` of its own the output is written synchronously.
    void parquet.write({ columnData, rowGroupSize: this.#groupRows, pageSize: pageBytes });
    const group = parquet.row_groups.at(-1);
    assert(group !== undefined, 'the peer has written the row group');
    for (const [i, column] of this.#columns.entries())
      describe(group.columns[i] as ColumnChunk, column);
    const pages = out.getBytes().subarray(index);
    const sealed = await sealPages(pages, offset, group, this.#options.compressor);
    out.replace(index, sealed);
    this.#addChunkSums(sealed, offset, group);
    for (const column of this.#columns) column.clear();
    this.#groupRows = 0;
    this.#groupBytes = 0;
  }

  #addChunkSums(bytes: Uint8Array, offset: number, { columns }: RowGroup): void {
    for (const { file_offset, meta_data } of columns) {
      const at = Number(file_offset) - offset;
      const chunk = bytes.subarray(at, at + Number(meta_data?.total_compressed_size));
      this.#chunkSums.push(hex32(crc32c(chunk)));
    }
  }
}

interface OpenFile {
  readonly out: InstanceType<Peer['ByteWriter']> & {
    take(): Uint8Array;
    replace(from: number, bytes: Uint8Array): void;
  };
  readonly parquet: ParquetWriter;
}

function describe(chunk: ColumnChunk, column: ColumnBuffer): void {
  assert(chunk.meta_data !== undefined, 'the peer describes every chunk it writes');
  chunk.meta_data.statistics = column.chunkStatistics();
}

/** The peer is wanted only to write: importing `lode/parquet`, and reading, work without it. */
async function loadPeer(): Promise<Peer> {
  try {
    return await import('hyparquet-writer');
  } catch (cause) {
    throw new LodeError(
      'LODE_UNSUPPORTED',
      'writing Parquet needs the packages hyparquet and hyparquet-writer',
      { next: 'Run npm install hyparquet hyparquet-writer.' },
      { cause },
    );
  }
}
