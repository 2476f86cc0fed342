/** `lode journal export`: into a dataset, what it lacks of a journal. */
import { isLodeError, openDataset } from 'lode';
import type { Dataset } from 'lode';
import { exportJournal } from 'lode/journal';
import type { Call, Command } from '../command.ts';
import { usage } from '../command.ts';
import { openNamed, wantedLayout } from '../find.ts';
import { directoryOf } from '../journal.ts';
import { openStore } from '../open-store.ts';
import { openRaw } from '../raw.ts';
import { bytesText, countText, plainText } from '../text.ts';

export const command: Command = {
  options: {},
  takes: [3, 3],
  names: ['DIR', 'STORE', 'DATASET'],
  async run(call) {
    const { out, signal } = call;
    const dir = directoryOf(call);
    const dataset = await datasetOf(call);
    const { snapshot, lsn, parts, bytes, pending } = await exportJournal(dir, dataset, { signal });
    if (out.json) {
      const facts = { command: 'journal export', dataset: dataset.id, snapshot };
      return out.document({ ...facts, lsn, parts, bytes, pending });
    }
    const added = parts === 0 ? 'nothing new' : `${countText(parts, 'part')}, ${bytesText(bytes)}`;
    out.note(plainText(`${dataset.id}: up to record ${lsn}; ${added}`));
    if (pending > 0)
      out.note(`${countText(pending, 'record')} left out: in use, or not closed and not recovered`);
  },
};

/** The dataset that is named, or a new one. */
async function datasetOf(call: Call): Promise<Dataset<Uint8Array>> {
  const { signal } = call;
  try {
    const named = await openNamed(call, 1);
    if (named.kind === 'volume') throw usage('this is a volume, and no journal', named.id);
    const { manifest } = await named.handle.latest({ signal });
    return await openRaw(named.store, named.layout, manifest, signal);
  } catch (error) {
    if (!isLodeError(error, 'LODE_NOT_FOUND', 'LODE_NO_SNAPSHOTS')) throw error;
  }
  const layout = wantedLayout(call);
  const store = await openStore(call, 1);
  return openDataset(call.arg(2), { store, signal, ...(layout && { layout }) });
}
