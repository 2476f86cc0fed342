/** `lode journal restore`: a journal out of the dataset it was exported to, into a directory of its own. */
import { mkdir } from 'node:fs/promises';
import { restoreJournal } from 'lode/journal';
import type { Command } from '../command.ts';
import { usage } from '../command.ts';
import { findSnapshot, openNamed } from '../find.ts';
import { openRaw } from '../raw.ts';
import { countText, plainText } from '../text.ts';

export const command: Command = {
  options: {},
  takes: [3, 4],
  names: ['STORE', 'DATASET', 'DIR'],
  async run(call) {
    const { out, signal } = call;
    const named = await openNamed(call);
    if (named.kind === 'volume') throw usage('this is a volume, and no journal', named.id);
    const { id, manifest } = await findSnapshot(named.handle, call.args[3], signal);
    const dataset = await openRaw(named.store, named.layout, manifest, signal);
    const dir = call.arg(2);
    await mkdir(dir, { recursive: true });
    const { lsn, fetched, files } = await restoreJournal(dir, dataset, { snapshot: id, signal });
    if (out.json) {
      const facts = { command: 'journal restore', dataset: dataset.id, snapshot: id };
      return out.document({ ...facts, directory: dir, lsn, files, fetched });
    }
    const there = files === fetched ? '' : `, ${files - fetched} there already`;
    out.note(plainText(`${dir}: up to record ${lsn}; ${countText(fetched, 'file')}${there}`));
  },
};
