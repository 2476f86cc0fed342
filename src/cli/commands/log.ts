/** `lode log`: the history of a dataset, newest first. */
import type { Dataset, Snapshot } from 'lode';
import type { Call, Command } from '../command.ts';
import { bytesOf, snapshotFacts } from '../facts.ts';
import { openNamed } from '../find.ts';
import { bytesText, countText, valueText } from '../text.ts';

export const command: Command = {
  options: {
    limit: { type: 'string', short: 'n' },
    unreachable: { type: 'boolean' },
  },
  takes: [2, 2],
  async run(call) {
    const { out } = call;
    const limit = call.count('limit');
    const { dataset, layout } = await openNamed(call);
    const snapshots = limited(snapshotsOf(call, dataset), limit);
    if (out.json) {
      const facts = { command: 'log', dataset: dataset.id, layout: layout.name };
      await out.list(facts, 'snapshots', factsOf(snapshots));
      return;
    }
    let any = false;
    for await (const { manifest } of snapshots) {
      any = true;
      const { snapshotId, createdAt, rowCount, files, metadata } = manifest;
      const facts = [
        snapshotId,
        createdAt,
        countText(rowCount, 'row'),
        countText(files.length, 'file'),
        bytesText(bytesOf(files)),
        Object.keys(metadata).length === 0 ? '' : valueText(metadata),
      ];
      await out.line(facts.join('  ').trimEnd());
    }
    if (!any) out.note('no snapshots');
  },
};

function snapshotsOf<R>(call: Call, dataset: Dataset<R>): AsyncIterable<Snapshot> {
  return dataset.snapshots({ signal: call.signal, unreachable: call.flag('unreachable') });
}

async function* limited<T>(items: AsyncIterable<T>, limit = Infinity): AsyncGenerator<T> {
  if (limit === 0) return;
  let count = 0;
  for await (const item of items) {
    yield item;
    if (++count >= limit) return;
  }
}

async function* factsOf(snapshots: AsyncIterable<Snapshot>): AsyncGenerator<object> {
  for await (const { manifest } of snapshots) yield snapshotFacts(manifest);
}
