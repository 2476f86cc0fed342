/** `lode diff`: what is different between two snapshots, by file, rows, blocks and metadata. */
import type { DatasetManifest, Layout, ManifestFile, Snapshot, VolumeSnapshot } from 'lode';
import { LodeError } from 'lode';
import type { Call, Command } from '../command.ts';
import { bytesOf, snapshotFacts } from '../facts.ts';
import { findSnapshot, openNamed } from '../find.ts';
import type { Keeper } from '../find.ts';
import { metadataChanges, metadataLines } from '../metadata-changes.ts';
import { bytesText, plainText, signed } from '../text.ts';
import { diffVolume } from '../volume-diff.ts';

type Change = 'added' | 'removed' | 'changed' | 'kept';

interface FileChange {
  readonly change: Change;
  /** Partition and name: what stays the same from snapshot to snapshot. */
  readonly name: string;
  readonly from?: ManifestFile;
  readonly to?: ManifestFile;
}

export const command: Command = {
  options: {},
  takes: [2, 4],
  async run(call) {
    const named = await openNamed(call);
    if (named.kind === 'volume') {
      const [from, to] = await bothSnapshots<VolumeSnapshot>(call, named.handle);
      return diffVolume(call, from.manifest, to.manifest);
    }
    const { handle: dataset, layout } = named;
    const both = await bothSnapshots<Snapshot>(call, dataset);
    const [from, to] = both.map(({ manifest }) => manifest) as [DatasetManifest, DatasetManifest];
    const files = fileChanges(from, to, layout);
    if (call.json) {
      const metadata = metadataChanges(from, to);
      const facts = { command: 'diff', dataset: dataset.id, from: snapshotFacts(from) };
      await call.out.document({
        ...facts,
        to: snapshotFacts(to),
        metadata,
        files: files.map(factsOf),
      });
    } else await print(call, from, to, files);
  },
};

async function bothSnapshots<S extends Snapshot | VolumeSnapshot>(
  { args, signal }: Call,
  keeper: Keeper<S>,
): Promise<[S, S]> {
  const to = await findSnapshot(keeper, args[3], signal);
  const from = args[2] ?? to.manifest.parentSnapshotId;
  if (from !== undefined) return [await findSnapshot(keeper, from, signal), to];
  throw new LodeError('LODE_NOT_FOUND', 'the latest snapshot is the first: it has no parent', {
    snapshot: to.id,
    next: 'Name two snapshots.',
  });
}

/** By name; a name may be there more than once, as numbers of files are not part of it. */
function fileChanges(from: DatasetManifest, to: DatasetManifest, layout: Layout): FileChange[] {
  const before = new Map(from.files.map((file) => [nameOf(file, layout), file]));
  const sameAlgorithm = from.checksumAlgorithm === to.checksumAlgorithm;
  const changes: FileChange[] = [];
  for (const file of to.files) {
    const name = nameOf(file, layout);
    const former = before.get(name);
    before.delete(name);
    if (former === undefined) changes.push({ change: 'added', name, to: file });
    else {
      const kept =
        former.path === file.path ||
        (sameAlgorithm && file.checksum !== undefined && file.checksum === former.checksum);
      changes.push({ change: kept ? 'kept' : 'changed', name, from: former, to: file });
    }
  }
  for (const [name, file] of before) changes.push({ change: 'removed', name, from: file });
  return changes.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function nameOf({ path }: ManifestFile, layout: Layout): string {
  const address = layout.parseDataKey(path);
  if (address === undefined) return path;
  return address.partition === '' ? address.file : `${address.partition}/${address.file}`;
}

function factsOf({ change, name, from, to }: FileChange): object {
  return { change, name, from: fileFacts(from), to: fileFacts(to) };
}

function fileFacts(file: ManifestFile | undefined): object | undefined {
  return file && { path: file.path, bytes: file.sizeBytes, checksum: file.checksum };
}

const marks = { added: '+', removed: '-', changed: '~', kept: ' ' } as const;

async function print(
  { out }: Call,
  from: DatasetManifest,
  to: DatasetManifest,
  files: readonly FileChange[],
): Promise<void> {
  await out.line(`from  ${from.snapshotId}  ${from.createdAt}`);
  await out.line(`to    ${to.snapshotId}  ${to.createdAt}`);
  await out.line(
    `rows  ${from.rowCount} to ${to.rowCount} (${signed(to.rowCount - from.rowCount)})`,
  );
  const [before, after] = [bytesOf(from.files), bytesOf(to.files)];
  await out.line(`size  ${bytesText(before)} to ${bytesText(after)}`);
  for (const line of metadataLines(from, to)) await out.line(line);
  for (const { change, name, from: former, to: now } of files) {
    if (change === 'kept') continue;
    const sizes = [former, now].flatMap((file) => (file ? [bytesText(file.sizeBytes)] : []));
    const colour = { added: 'green', removed: 'red', changed: 'yellow' } as const;
    await out.line(
      out.paint(colour[change], `${marks[change]} ${plainText(name)}  ${sizes.join(' to ')}`),
    );
  }
  const count = (wanted: Change): number => files.filter(({ change }) => change === wanted).length;
  await out.line(
    `${count('added')} added, ${count('removed')} removed, ${count('changed')} changed, ${count('kept')} kept`,
  );
}
