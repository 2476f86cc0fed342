/** What a verifier compares of a dataset: its files, each by the algorithm that its manifest names. */
import type { Verification } from '../history/verify.ts';
import type { DatasetContext } from './context.ts';
import type { DatasetManifest } from './manifest/index.ts';

export function verification<R>(context: DatasetContext<R>): Verification<DatasetManifest> {
  const { id: dataset, history, format, options, checksumByName } = context;
  return {
    subject: { dataset },
    history,
    format,
    *files({ files, checksumAlgorithm: name }) {
      const own = options.checksum?.name === name ? options.checksum : undefined;
      const algorithm = own ?? (name === undefined ? undefined : checksumByName(name));
      for (const { path, sizeBytes, checksum } of files)
        yield { path, sizeBytes, algorithm, ...(checksum === undefined ? {} : { checksum }) };
    },
  };
}
