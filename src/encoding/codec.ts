/**
 * The codec port: records to the bytes of one data file, and back. A codec of your own is an object of this shape.
 */

/** What a codec can say about the records of one file. It goes into the manifest and prunes reads. */
export interface FileStatistics {
  readonly rowCount: number;
  readonly columns: readonly ColumnStatistics[];
}

/** `min` and `max` are JSON values ordered as the column's type orders; both absent when there is nothing to compare. */
export interface ColumnStatistics {
  readonly name: string;
  readonly min?: string | number | bigint | boolean;
  readonly max?: string | number | bigint | boolean;
  readonly nullCount: number;
  readonly distinctCount?: number;
  /** Text bounds are those of a column of times, ordered as instants. A manifest cannot say so; a codec may know. */
  readonly isTime?: true;
}

/** Encodes one data file. Calls come one after another; `finish` is the last. */
export interface RecordEncoder<R> {
  /**
   * Takes a record; returns bytes that are ready to leave, if any. Throws `LODE_INVALID_RECORD` or
   * `LODE_SCHEMA_VIOLATION` naming `index`, the record's place in the caller's order.
   */
  write(record: R, index: number): Uint8Array | undefined | Promise<Uint8Array | undefined>;
  /** Returns the rest of the file. */
  finish(): Uint8Array | Promise<Uint8Array>;
  /** After `finish`. */
  statistics?(): FileStatistics | undefined;
  /**
   * After `finish`: how many bytes, at the end of those it returned, tell where in the file what lies. The manifest keeps a
   * digest of them, so that a file read in parts is verified too: see `DataFile.readIndex`.
   */
  indexBytes?(): number;
}

/** One stored data file as a decoder sees it: decompressed, verified on the way, read forward or by range. */
export interface DataFile {
  /** Key, for messages. */
  readonly key: string;
  /** Decompressed size when known. */
  readonly size: number | undefined;
  /** All bytes, in order. */
  stream(): AsyncIterable<Uint8Array>;
  /**
   * Bytes `[offset, offset + length)`, short only at the end. Present when the file is stored uncompressed, so that a
   * codec with an index can read a part. The file's checksum is not checked by such reads.
   */
  readonly readRange?: (offset: number, length: number) => Promise<Uint8Array>;
  /**
   * The last `length` bytes, or more, or all, of which those of the index (`RecordEncoder.indexBytes`) are verified. Absent
   * when the manifest does not vouch for an index: then nothing may be passed over on its word.
   */
  readonly readIndex?: (length: number) => Promise<Uint8Array>;
}

export interface DecodeOptions<R> {
  /** Only these members of each record. A codec that cannot skip decodes all and picks. */
  readonly columns?: readonly (keyof R & string)[] | undefined;
  /** Largest number of bytes one record, page or block may decode to. */
  readonly recordBytesMax?: number | undefined;
  /**
   * Answers false for a part of the file, such as a row group, in which no record is wanted: a codec that knows the
   * statistics of parts passes over it. Bounds hold for every value but need not be values themselves.
   */
  readonly mayHold?: ((part: FileStatistics) => boolean) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Codec<R = unknown> {
  /** Recorded in the manifest and compared at read. */
  readonly name: string;
  /** False when the whole file has to be in memory to be written: `streamWriteRecords` refuses it then. */
  readonly streaming: boolean;
  /** Starts one data file. */
  encoder(): RecordEncoder<R>;
  /** Records of one data file in stored order, in bounded memory. */
  decode(file: DataFile, options: DecodeOptions<R>): AsyncIterable<R>;
}
