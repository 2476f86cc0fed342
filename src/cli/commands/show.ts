/** `lode show`: one snapshot, its facts and files. */
import type { ColumnStatistics, DatasetManifest, Layout } from 'lode';
import type { Call, Command } from '../command.ts';
import { usage } from '../command.ts';
import { bytesOf, snapshotFacts } from '../facts.ts';
import { findSnapshot, openNamed } from '../find.ts';
import { showVolume } from '../volume-facts.ts';
import { bytesText, columnsText, countText, plainText, valueText } from '../text.ts';

export const command: Command = {
  options: { stats: { type: 'boolean' } },
  takes: [2, 3],
  async run(call) {
    const { args, signal } = call;
    const named = await openNamed(call);
    if (named.kind === 'volume') {
      if (call.flag('stats')) throw usage('--stats is for datasets');
      const { manifest } = await findSnapshot(named.handle, args[2], signal);
      return showVolume(call, manifest);
    }
    const { handle, layout } = named;
    const { manifest } = await findSnapshot(handle, args[2], signal);
    if (call.json) await call.out.document({ command: 'show', ...manifestFacts(manifest, layout) });
    else await print(call, manifest, layout);
  },
};

function manifestFacts(manifest: DatasetManifest, layout: Layout): object {
  const { datasetId: dataset, codec, compressor, checksumAlgorithm: checksum } = manifest;
  const { minTimestamp, maxTimestamp, manifestChecksum, formatVersion } = manifest;
  return {
    dataset,
    layout: layout.name,
    ...snapshotFacts(manifest),
    formatVersion,
    codec,
    compressor,
    checksum,
    minTimestamp,
    maxTimestamp,
    manifestChecksum,
    files: manifest.files.map(({ path, sizeBytes: bytes, checksum: digest, stats }) => ({
      path,
      bytes,
      checksum: digest,
      rows: stats?.rowCount,
      columns: stats?.columns,
    })),
  };
}

async function print(call: Call, manifest: DatasetManifest, layout: Layout): Promise<void> {
  const { out } = call;
  const { files, minTimestamp, maxTimestamp, metadata } = manifest;
  const facts: [string, string | undefined][] = [
    ['dataset', `${manifest.datasetId} (${layout.name} layout)`],
    ['snapshot', manifest.snapshotId],
    ['parent', manifest.parentSnapshotId ?? 'none'],
    ['created', manifest.createdAt],
    ['rows', String(manifest.rowCount)],
    ['times', minTimestamp && `${minTimestamp} to ${maxTimestamp}`],
    ['codec', [manifest.codec ?? 'raw bytes', manifest.compressor].join(', ')],
    ['checksum', manifest.checksumAlgorithm ?? 'none'],
    ['metadata', valueText(metadata, 1000)],
    ['files', `${countText(files.length, 'file')}, ${bytesText(bytesOf(files))}`],
  ];
  const shown = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [[name, plainText(value)]],
  );
  for (const line of columnsText(shown)) await out.line(line);
  const rows = files.map(({ path, sizeBytes, stats }) => [
    `  ${bytesText(sizeBytes)}`,
    stats === undefined ? '' : countText(stats.rowCount, 'row'),
    plainText(path),
  ]);
  const lines = columnsText(rows, [0, 1]);
  for (const [at, line] of lines.entries()) {
    await out.line(line);
    if (!call.flag('stats')) continue;
    for (const column of files[at]?.stats?.columns ?? [])
      await out.line(`      ${columnText(column)}`);
  }
}

function columnText({ name, min, max, nullCount, distinctCount }: ColumnStatistics): string {
  const bounds = min === undefined ? '' : `${valueText(min)} to ${valueText(max)}, `;
  const distinct = distinctCount === undefined ? '' : `, ${distinctCount} distinct`;
  return `${plainText(name)}: ${bounds}${countText(nullCount, 'null')}${distinct}`;
}
