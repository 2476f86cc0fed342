/** How much memory a Parquet file may ask for. Reading stops with `LODE_LIMIT_EXCEEDED` before it is taken. */
export interface ParquetLimits {
  /** A file that can only be read whole. */
  readonly fileBytes: number;
  readonly footerBytes: number;
  /** One page, decompressed. */
  readonly pageBytes: number;
  /** The values of one row group, at eight bytes each. */
  readonly rowGroupBytes: number;
  /** The same as a multiple of the row group's stored bytes; from 16 MiB on. */
  readonly ratio: number;
}

const MiB = 1024 * 1024;

export const defaultParquetLimits: ParquetLimits = {
  fileBytes: 1024 * MiB,
  footerBytes: 32 * MiB,
  pageBytes: 256 * MiB,
  rowGroupBytes: 1024 * MiB,
  ratio: 1000,
};
