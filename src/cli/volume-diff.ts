/** `lode diff` of a volume: which blocks one snapshot has and the other has not. */
import type { VolumeManifest, VolumeRange } from 'lode';
import type { Call } from './command.ts';
import { snapshotFacts } from './facts.ts';
import { metadataChanges, metadataLines } from './metadata-changes.ts';
import { rangeText } from './range.ts';
import { bytesText, countText, signed } from './text.ts';

interface Block extends VolumeRange {
  readonly checksum?: string | undefined;
}

interface BlockChange {
  readonly change: 'added' | 'removed';
  readonly block: Block;
}

export async function diffVolume(
  { out }: Call,
  from: VolumeManifest,
  to: VolumeManifest,
): Promise<void> {
  const { changes, kept } = blockChanges(from, to);
  if (out.json) {
    const both = { from: snapshotFacts(from), to: snapshotFacts(to) };
    const metadata = metadataChanges(from, to);
    return out.list(
      { command: 'diff', volume: to.volumeId, ...both, metadata, kept },
      { blocks: changes.map(({ change, block }) => ({ change, ...block })) },
    );
  }
  await out.line(`from  ${from.snapshotId}  ${from.createdAt}`);
  await out.line(`to    ${to.snapshotId}  ${to.createdAt}`);
  const [before, after] = [from.blocks.bytes, to.blocks.bytes];
  await out.line(`there ${before} to ${after} of ${to.totalLength} B (${signed(after - before)})`);
  for (const line of metadataLines(from, to)) await out.line(line);
  for (const { change, block } of changes) {
    const added = change === 'added';
    const line = `${added ? '+' : '-'} ${rangeText(block)}  ${bytesText(block.length)}`;
    await out.line(out.paint(added ? 'green' : 'red', line));
  }
  const added = changes.filter(({ change }) => change === 'added').length;
  await out.line(
    `${countText(added, 'block')} added, ${changes.length - added} removed, ${kept} kept`,
  );
}

/** Both are in order: one walk. A block is kept when range and checksum are the same. */
function blockChanges(
  from: VolumeManifest,
  to: VolumeManifest,
): { readonly changes: readonly BlockChange[]; readonly kept: number } {
  const before = [...from.blocks.from(0)];
  const changes: BlockChange[] = [];
  let kept = 0;
  let at = 0;
  for (const block of to.blocks.from(0)) {
    for (; at < before.length; at++) {
      const former = before[at];
      if (former === undefined || former.offset > block.offset) break;
      if (isSame(former, block)) break;
      changes.push({ change: 'removed', block: former });
    }
    const former = before[at];
    if (former !== undefined && isSame(former, block)) {
      kept++;
      at++;
    } else changes.push({ change: 'added', block });
  }
  for (const block of before.slice(at)) changes.push({ change: 'removed', block });
  return { changes, kept };
}

function isSame(a: Block, b: Block): boolean {
  return a.offset === b.offset && a.length === b.length && a.checksum === b.checksum;
}
