/** `lode repair`: what interrupted commits left is completed; a plan unless told to apply it. */
import type { Command } from '../command.ts';
import { findDatasets, openFound } from '../find.ts';
import { openStore } from '../open-store.ts';
import { countText, plainText } from '../text.ts';

export const command: Command = {
  options: { apply: { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
  takes: [1, 2],
  async run(call) {
    const { out, signal, applies } = call;
    const store = await openStore(call);
    const datasets: { dataset: string; keys: string[] }[] = [];
    for await (const found of findDatasets(call, store, call.args[1])) {
      const dataset = await openFound(found, store, signal);
      const keys = await dataset.repair({ signal, dryRun: !applies });
      datasets.push({ dataset: found.id, keys });
      if (out.json) continue;
      for (const key of keys) await out.line(plainText(key));
      await out.flush();
      const count = keys.length === 0 ? 'nothing to repair' : countText(keys.length, 'object');
      const did = keys.length === 0 ? '' : applies ? ' written' : ' to write; --apply writes them';
      out.note(`${plainText(found.id)}: ${count}${did}`);
    }
    if (out.json) await out.document({ command: 'repair', applied: applies, datasets });
  },
};
