/** `lode repair`: what interrupted commits left is completed; a plan unless told to apply it. */
import { isLodeError } from 'lode';
import type { Store } from 'lode';
import type { Command } from '../command.ts';
import { byKind, findAll, openFound, openToLook } from '../find.ts';
import type { Found } from '../find.ts';
import { openStore } from '../open-store.ts';
import { countText, plainText } from '../text.ts';

export const command: Command = {
  options: { apply: { type: 'boolean' }, 'dry-run': { type: 'boolean' } },
  takes: [1, 2],
  async run(call) {
    const { out, signal, applies } = call;
    const store = await openStore(call);
    const reports: { found: Found; keys: string[] }[] = [];
    for await (const found of findAll(call, store, call.args[1])) {
      const keys = await repaired(found, store, { signal, dryRun: !applies });
      reports.push({ found, keys });
      if (out.json) continue;
      for (const key of keys) await out.line(plainText(key));
      await out.flush();
      const count = keys.length === 0 ? 'nothing to repair' : countText(keys.length, 'object');
      const did = keys.length === 0 ? '' : applies ? ' written' : ' to write; --apply writes them';
      out.note(`${plainText(found.id)}: ${count}${did}`);
    }
    if (!out.json) return;
    const lists = byKind(reports, ({ keys }) => ({ keys }));
    await out.document({ command: 'repair', applied: applies, ...lists });
  },
};

async function repaired(
  found: Found,
  store: Store,
  options: { readonly signal: AbortSignal; readonly dryRun: boolean },
): Promise<string[]> {
  try {
    return await (await openFound(found, store, options.signal)).repair(options);
  } catch (error) {
    if (found.kind === 'dataset' || !isLodeError(error, 'LODE_NO_SNAPSHOTS')) throw error;
    // Blocks were staged, and no commit has begun; or one has, and only its writer knows how long the volume is to be.
    const keeper = await openToLook(found, store, options.signal);
    const keys = await keeper.repair({ signal: options.signal, dryRun: true });
    if (keys.length > 0) throw error;
    return [];
  }
}
