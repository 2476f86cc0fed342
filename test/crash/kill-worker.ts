/**
 * The process that R1 kills: it looks whether what was acknowledged before is there and whole, then goes on committing and
 * says what is acknowledged. `kill-worker.js ROOT SEED KNOWN`, with the last looked at head of each dataset in KNOWN.
 *
 * It runs the bundle that users get, and imports nothing that takes time to load.
 */
import type * as Lode from '../../src/index.ts';
import type * as LodeFs from '../../src/fs.ts';
import type * as LodeJournal from '../../src/journal.ts';
import { fillJournal, journalPlace, lookAtJournal, openKilled } from './kill-journal.ts';

const bundle = (name: string): string => new URL(`../../lode/${name}`, import.meta.url).href;
const { gzip, hive, isLodeError, jsonl, openDataset, openVolume } = (await import(
  bundle('index.js')
)) as typeof Lode;
const { fsStore } = (await import(bundle('fs.js'))) as typeof LodeFs;
const lodeJournal = (await import(bundle('journal.js'))) as typeof LodeJournal;

interface Row {
  readonly k: string;
  readonly text: string;
}

const [root = '', seed = '', known = '{}'] = process.argv.slice(2);
const heads = JSON.parse(known) as Record<string, string | undefined>;
const store = fsStore(root);
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

/** The content that belongs to a name: whoever reads it knows what it has to be. */
function rowsOf(name: string): Row[] {
  const count = 1 + (Number(name.split(' ')[1]) % 7);
  return Array.from({ length: count }, (_, i) => ({
    k: `p${i % 3}`,
    text: `${name} ${i} `.repeat(20),
  }));
}

function bytesOf(name: string): Uint8Array {
  return new TextEncoder().encode(name.repeat(200 + (Number(name.split(' ')[1]) % 3) * 20_000));
}

const sorted = (rows: readonly Row[]): string =>
  rows
    .map(({ k, text }) => `${k} ${text}`)
    .sort()
    .join('\n');

/** The same for whoever committed it and whoever reads it. */
function digestOf(content: string): string {
  let hash = 0;
  for (let i = 0; i < content.length; i++) hash = (Math.imul(hash, 31) + content.charCodeAt(i)) | 0;
  return `${content.length}:${hash}`;
}

const rows = { store, codec: jsonl<Row>() };
const plain = await openDataset('plain', rows);
const parts = await openDataset('hive', { ...rows, layout: hive('k'), compressor: gzip() });
const blobs = await openDataset('blob', { store });
/** Bytes of a block: the smaller, the sooner compact manifests make runs of them. */
const disk = await openVolume('volume', { store, length: 2 ** 40, blockBytes: 1000 });
const compact = await openVolume('volume-compact', {
  store,
  length: 2 ** 40,
  blockBytes: 200,
  manifests: 'compact',
});

async function look<R>(dataset: Lode.Dataset<R>, digest: (content: R[]) => string): Promise<void> {
  const found: object[] = [];
  const until = heads[dataset.id];
  // Until the first commit has its pointer it may lack copies of its manifest: the next commit completes it.
  const isNamed = (await store.head(`datasets/${dataset.id}/latest`)) !== undefined;
  for await (const { id, manifest } of dataset.snapshots()) {
    if (id === until) break;
    const { problems } = await dataset.verify({ snapshot: id });
    const name = manifest.metadata['name'];
    const problem = isNamed ? problems[0]?.error.message : undefined;
    found.unshift({
      id,
      name,
      parent: manifest.parentSnapshotId,
      digest: digest(await dataset.read(id)),
      problem,
    });
  }
  say({ found, dataset: dataset.id });
}

/** Each commit says in its metadata which range is its own. */
async function lookAtVolume(volume: Lode.Volume): Promise<void> {
  const found: object[] = [];
  const until = heads[volume.id];
  for await (const snapshot of volume.snapshots()) {
    const { id, manifest } = snapshot;
    if (id === until) break;
    const { name, offset, length } = manifest.metadata as Record<string, number>;
    const bytes = await volume.readAt(snapshot, offset ?? -1, length ?? -1);
    // Of the newest everything, which is all that was committed before, too.
    const { problems } = found.length > 0 ? {} : await volume.verify({ snapshot: id });
    const gap = volume.missing(snapshot, { offset: 0, length: (offset ?? 0) + (length ?? 0) })[0];
    const problem = gap && `a hole at ${gap.offset}`;
    found.unshift({
      id,
      name,
      parent: manifest.parentSnapshotId,
      digest: digestOfBytes([bytes]),
      problem: problems?.[0]?.error.message ?? problem,
    });
  }
  say({ found, dataset: volume.id });
}

/** Fills a volume from its beginning; what a predecessor has staged there and not committed is in the way. */
async function fillVolume(volume: Lode.Volume): Promise<void> {
  const head = await volume.head();
  let offset = volume.missing(head)[0]?.offset ?? 0;
  for (let n = Number(seed); ; n++) {
    const name = `${seed} ${n}`;
    const { staged, bytes } = await stageAround(volume, offset, name, 100 + (n % 3) * 100);
    const { length } = bytes;
    const { id } = await volume.commit([staged], { name, offset, length });
    offset += length;
    say({ acked: id, dataset: volume.id, name, digest: digestOfBytes([bytes]) });
  }
}

/** After many deaths in one place blocks of all halves are there with other bytes; a longer range goes around them. */
async function stageAround(
  volume: Lode.Volume,
  offset: number,
  name: string,
  times: number,
): Promise<{ staged: Lode.StagedRange; bytes: Uint8Array }> {
  const bytes = new TextEncoder().encode(name.repeat(times));
  try {
    return { staged: await volume.stageWriteAt(offset, bytes), bytes };
  } catch (error) {
    if (!isLodeError(error, 'LODE_ALREADY_EXISTS') || times > 1_000) throw error;
    return stageAround(volume, offset, name, times + 1);
  }
}

const digestOfRows = (content: readonly Row[]): string => digestOf(sorted(content));
const digestOfBytes = ([bytes]: readonly Uint8Array[]): string =>
  digestOf(new TextDecoder().decode(bytes));

try {
  const opening = openKilled(lodeJournal, root);
  await Promise.all([
    opening.then((journal) => lookAtJournal(journal, heads[journalPlace], say)),
    look(plain, digestOfRows),
    look(parts, digestOfRows),
    look(blobs, digestOfBytes),
    lookAtVolume(disk),
    lookAtVolume(compact),
  ]);
  say({ looked: true });
  const commits = [
    (name: string) => plain.write(rowsOf(name), { name }),
    (name: string) => plain.streamWriteRecords(rowsOf(name), { name }),
    (name: string) => parts.write(rowsOf(name), { name }),
    (name: string) => parts.streamWriteRecords(rowsOf(name), { name }),
    (name: string) => blobs.write([bytesOf(name)], { name }),
    async (name: string) => {
      await using writer = await blobs.streamWrite({ name });
      await writer.write(bytesOf(name));
      return await writer.commit();
    },
  ];
  const ids = ['plain', 'hive', 'blob'];
  // One after another in each, all of them side by side.
  await Promise.all([
    fillVolume(disk),
    fillVolume(compact),
    fillJournal(await opening, seed, say),
    ...ids.map(async (dataset, d) => {
      for (let n = Number(seed); ; n++) {
        const name = `${seed} ${n}`;
        const { id } = (await commits[2 * d + (n % 2)]?.(name)) ?? {};
        const digest = d === 2 ? digestOfBytes([bytesOf(name)]) : digestOfRows(rowsOf(name));
        say({ acked: id, dataset, name, digest });
      }
    }),
  ]);
} catch (error) {
  say({ failed: isLodeError(error) ? `${error.code} ${error.message}` : String(error) });
  process.exitCode = 1;
}
