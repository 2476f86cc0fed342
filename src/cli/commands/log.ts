/** `lode log`: the history of a dataset or a volume, newest first. */
import type { DatasetManifest, VolumeManifest } from 'lode';
import type { Command } from '../command.ts';
import { amounts, snapshotFacts } from '../facts.ts';
import { openNamed } from '../find.ts';
import { valueText } from '../text.ts';

export const command: Command = {
  options: {
    limit: { type: 'string', short: 'n' },
    unreachable: { type: 'boolean' },
  },
  takes: [2, 2],
  async run(call) {
    const { out, signal } = call;
    const limit = call.count('limit');
    const named = await openNamed(call);
    const { id, kind } = named;
    const unreachable = call.flag('unreachable');
    const manifests = limited(named.handle.snapshots({ signal, unreachable }), limit);
    if (out.json) {
      const subject =
        kind === 'volume' ? { volume: id } : { dataset: id, layout: named.layout.name };
      return out.list({ command: 'log', ...subject }, { snapshots: factsOf(manifests) });
    }
    let any = false;
    for await (const manifest of manifests) {
      any = true;
      const { snapshotId, createdAt, metadata } = manifest;
      const note = Object.keys(metadata).length === 0 ? '' : valueText(metadata);
      const facts = [snapshotId, createdAt, ...amounts(manifest), note];
      await out.line(facts.join('  ').trimEnd());
    }
    if (!any) out.note('no snapshots');
  },
};

type Manifest = DatasetManifest | VolumeManifest;

async function* limited(
  snapshots: AsyncIterable<{ readonly manifest: Manifest }>,
  limit = Infinity,
): AsyncGenerator<Manifest> {
  if (limit === 0) return;
  let count = 0;
  for await (const { manifest } of snapshots) {
    yield manifest;
    if (++count >= limit) return;
  }
}

async function* factsOf(manifests: AsyncIterable<Manifest>): AsyncGenerator<object> {
  for await (const manifest of manifests) yield snapshotFacts(manifest);
}
