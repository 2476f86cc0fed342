/** R9: many processes fill one volume in one directory, each with blocks of its own. */
import { fsStore } from '../../src/fs.ts';
import { openVolume } from '../../src/index.ts';
import { placed } from '../interop/go-volume.ts';
import { raceForVolume } from '../interop/volume-race.ts';

const block = 512;

export interface Filled {
  /** In the one chain from the head. */
  readonly snapshots: number;
  readonly wrong: readonly string[];
}

export async function fillTogether(
  root: string,
  { processes, commits }: { readonly processes: number; readonly commits: number },
): Promise<Filled> {
  const racers = await raceForVolume({ root, volume: 'disk', block, commits }, { processes });
  const wrong: string[] = [];
  const volume = await openVolume('disk', { store: fsStore(root) });
  const head = await volume.latest();
  const chain = new Set<string>();
  let parent: string | undefined = head.id;
  for await (const { id, manifest } of volume.snapshots()) {
    if (id !== parent) wrong.push(`${id} instead of ${parent}`);
    parent = manifest.parentSnapshotId;
    chain.add(id);
  }
  if (parent !== undefined) wrong.push(`${parent} is missing`);
  const acked = racers.flatMap((racer) => [...racer.acked]);
  for (const [offset, id] of acked) if (!chain.has(id)) wrong.push(`${id}, at ${offset}, is lost`);
  if (chain.size !== acked.length)
    wrong.push(`${chain.size} snapshots for ${acked.length} acknowledged commits`);
  for (const gap of volume.missing(head)) wrong.push(`nothing at ${gap.offset}`);
  if (head.complete) {
    const bytes = await volume.readAt(head, 0, volume.length, { verified: true });
    if (Buffer.compare(bytes, placed(0, volume.length)) !== 0) wrong.push('bytes are mixed up');
  }
  return { snapshots: chain.size, wrong };
}
