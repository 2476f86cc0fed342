/** `lode verify`: every object against what was committed. */
import type { VerifyReport } from 'lode';
import type { Command } from '../command.ts';
import { errorFacts, exitCodes } from '../failure.ts';
import { findAll, findSnapshot, openFoundDataset } from '../find.ts';
import { openStore } from '../open-store.ts';
import { bytesText, countText, plainText } from '../text.ts';

export const command: Command = {
  options: {},
  takes: [1, 3],
  async run(call) {
    const { out, signal } = call;
    const [, name, wanted] = call.args;
    const store = await openStore(call);
    const reports: { dataset: string; report: VerifyReport }[] = [];
    for await (const found of findAll(call, store, name)) {
      if (found.kind === 'volume') continue;
      const dataset = await openFoundDataset(found, store, signal);
      const snapshot =
        wanted === 'latest' ? (await findSnapshot(dataset, wanted, signal)).id : wanted;
      const report = await dataset.verify({
        signal,
        ...(snapshot === undefined ? {} : { snapshot }),
        onProgress: ({ snapshots, objects, bytes }) =>
          out.progress(
            () => `${found.id}: ${snapshots} snapshots, ${objects} objects, ${bytesText(bytes)}`,
          ),
      });
      reports.push({ dataset: found.id, report });
      if (out.json) continue;
      for (const { key, error } of report.problems)
        await out.line(out.paint('red', plainText(`${key}  ${error.code}  ${error.message}`)));
      await out.flush();
      out.note(summary(found.id, report));
    }
    const damaged = reports.some(({ report }) => report.problems.length > 0);
    if (out.json)
      await out.document({ command: 'verify', ok: !damaged, datasets: reports.map(factsOf) });
    else if (reports.length === 0) out.note('no datasets here');
    return damaged ? exitCodes.damaged : exitCodes.ok;
  },
};

function summary(dataset: string, report: VerifyReport): string {
  const { snapshots, objects, bytes, problems, unchecked } = report;
  const verdict =
    problems.length === 0 ? 'all as committed' : countText(problems.length, 'problem');
  const bySize = unchecked === 0 ? '' : `; ${unchecked} compared by size only`;
  const counts = `${countText(snapshots, 'snapshot')}, ${countText(objects, 'object')}, ${bytesText(bytes)}`;
  return `${plainText(dataset)}: ${counts}: ${verdict}${bySize}`;
}

function factsOf({ dataset, report }: { dataset: string; report: VerifyReport }): object {
  const { snapshots, objects, bytes, unchecked } = report;
  const problems = report.problems.map(({ key, snapshot, error }) => ({
    key,
    snapshot,
    error: errorFacts(error),
  }));
  return { dataset, snapshots, objects, bytes, unchecked, problems };
}
