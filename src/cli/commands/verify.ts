/** `lode verify`: every object against what was committed. */
import { isLodeError } from 'lode';
import type { LodeError, Store, VerifyReport } from 'lode';
import type { Call, Command } from '../command.ts';
import { errorFacts, exitCodes } from '../failure.ts';
import { byKind, findAll, openToLook } from '../find.ts';
import type { Found } from '../find.ts';
import { openStore } from '../open-store.ts';
import { bytesText, countText, plainText } from '../text.ts';

export const command: Command = {
  options: {},
  takes: [1, 3],
  async run(call) {
    const { out } = call;
    const [, name] = call.args;
    const store = await openStore(call);
    const reports: Report[] = [];
    for await (const found of findAll(call, store, name)) {
      const report = await verified(call, store, found);
      if (report === undefined) {
        out.note(`${plainText(found.id)}: no snapshot`);
        continue;
      }
      reports.push({ found, report });
      if (out.json) continue;
      for (const { key, error } of report.problems)
        await out.line(out.paint('red', plainText(`${key}  ${error.code}  ${error.message}`)));
      await out.flush();
      out.note(summary(found.id, report));
    }
    const damaged = reports.some(({ report }) => report.problems.length > 0);
    if (out.json)
      await out.document({ command: 'verify', ok: !damaged, ...byKind(reports, factsOf) });
    else if (reports.length === 0) out.note('nothing to verify here');
    return damaged ? exitCodes.damaged : exitCodes.ok;
  },
};

interface Report {
  readonly found: Found;
  readonly report: VerifyReport;
}

/** `undefined` for a volume that nobody has committed to, unless it was named. */
async function verified(
  { out, args, signal }: Call,
  store: Store,
  found: Found,
): Promise<VerifyReport | undefined> {
  const [, name, wanted] = args;
  const isVolume = found.kind === 'volume';
  try {
    const keeper = await openToLook(found, store, signal);
    const snapshot = wanted === 'latest' ? (await keeper.latest({ signal })).id : wanted;
    return await keeper.verify({
      signal,
      ...(snapshot === undefined ? {} : { snapshot }),
      onProgress: ({ snapshots, objects, bytes }) =>
        out.progress(
          () => `${found.id}: ${snapshots} snapshots, ${objects} objects, ${bytesText(bytes)}`,
        ),
    });
  } catch (error) {
    if (!isVolume || !isLodeError(error)) throw error;
    if (name === undefined && error.code === 'LODE_NO_SNAPSHOTS') return undefined;
    // The head is what tells how long a volume is: without it nothing else of it can be looked at.
    if (error.kind === 'corrupt') return headless(error);
    throw error;
  }
}

function headless(error: LodeError): VerifyReport {
  const { key = '', snapshot } = error.details;
  const problems = [{ key, snapshot, error }];
  return { snapshots: 0, objects: 1, bytes: 0, unchecked: 0, problems };
}

function summary(id: string, report: VerifyReport): string {
  const { snapshots, objects, bytes, problems, unchecked } = report;
  const verdict =
    problems.length === 0 ? 'all as committed' : countText(problems.length, 'problem');
  const bySize = unchecked === 0 ? '' : `; ${unchecked} compared by size only`;
  const counts = `${countText(snapshots, 'snapshot')}, ${countText(objects, 'object')}, ${bytesText(bytes)}`;
  return `${plainText(id)}: ${counts}: ${verdict}${bySize}`;
}

function factsOf({ report }: Report): object {
  const { snapshots, objects, bytes, unchecked } = report;
  const problems = report.problems.map(({ key, snapshot, error }) => ({
    key,
    snapshot,
    error: errorFacts(error),
  }));
  return { snapshots, objects, bytes, unchecked, problems };
}
