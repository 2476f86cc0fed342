/** `lode gc`: data files and blocks that no snapshot names; a plan unless told to apply it. */
import type { GcReport } from 'lode';
import type { Command } from '../command.ts';
import { usage } from '../command.ts';
import { errorFacts, exitCodes } from '../failure.ts';
import { byKind, findAll, openToLook } from '../find.ts';
import type { Found } from '../find.ts';
import { openStore } from '../open-store.ts';
import { bytesText, countText, plainText, timeText } from '../text.ts';

export const command: Command = {
  options: {
    apply: { type: 'boolean' },
    'dry-run': { type: 'boolean' },
    'older-than': { type: 'string' },
  },
  takes: [1, 2],
  async run(call) {
    const { out, signal, applies } = call;
    const age = ageOf(call.text('older-than'));
    const store = await openStore(call);
    const reports: Report[] = [];
    for await (const found of findAll(call, store, call.args[1])) {
      const keeper = await openToLook(found, store, signal);
      const options = {
        signal,
        ...(age === undefined ? {} : { olderThanMs: age }),
        onProgress: ({
          objects,
          manifests,
          deleted,
        }: {
          objects: number;
          manifests: number;
          deleted: number;
        }) =>
          out.progress(
            () => `${found.id}: ${objects} objects, ${manifests} manifests, ${deleted} deleted`,
          ),
      };
      let report = await keeper.gc(options);
      if (!out.json) {
        for (const { key, sizeBytes, lastModifiedMs } of report.orphans)
          await out.line(
            `${bytesText(sizeBytes).padStart(8)}  ${secondText(lastModifiedMs)}  ${plainText(key)}`,
          );
        await out.flush();
        out.note(planText(found.id, report, applies));
      }
      if (applies && report.orphans.length > 0) {
        report = await keeper.gc({ ...options, dryRun: false });
        out.note(resultText(found.id, report));
      }
      reports.push({ found, report });
    }
    if (out.json)
      await out.document({ command: 'gc', applied: applies, ...byKind(reports, factsOf) });
    return reports.some(({ report }) => report.failed.length > 0)
      ? exitCodes.failure
      : exitCodes.ok;
  },
};

const unitsMs = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function ageOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count === undefined) throw usage('--older-than takes an age such as 36h or 30d', text);
  return Number(count) * unitsMs[unit as keyof typeof unitsMs];
}

interface Report {
  readonly found: Found;
  readonly report: GcReport;
}

function planText(id: string, { orphans, tooYoung }: GcReport, applies: boolean): string {
  const bytes = orphans.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const found =
    orphans.length === 0
      ? 'nothing to delete'
      : `${countText(orphans.length, 'file')} to delete, ${bytesText(bytes)}`;
  const hint = orphans.length > 0 && !applies ? '; --apply deletes them' : '';
  const young = tooYoung === 0 ? '' : `; ${tooYoung} more not old enough`;
  return `${plainText(id)}: ${found}${hint}${young}`;
}

function resultText(id: string, { deleted, deletedBytes, failed }: GcReport): string {
  const failures = failed.map(({ key, error }) => `\n  ${plainText(`${key}: ${error.message}`)}`);
  const kept = failed.length === 0 ? '' : `; ${failed.length} could not be:${failures.join('')}`;
  return `${plainText(id)}: ${countText(deleted, 'file')} deleted, ${bytesText(deletedBytes)}${kept}`;
}

function factsOf({ report }: Report): object {
  const { orphans, failed, ...rest } = report;
  const { olderThanMs, objects, manifests, tooYoung, deleted, deletedBytes } = rest;
  return {
    olderThanMs,
    objects,
    manifests,
    tooYoung,
    orphans: orphans.map(({ key, sizeBytes: bytes, lastModifiedMs }) => ({
      key,
      bytes,
      lastModified: timeText(Math.floor(lastModifiedMs)),
    })),
    deleted,
    deletedBytes,
    failed: failed.map(({ key, error }) => ({ key, error: errorFacts(error) })),
  };
}

function secondText(ms: number): string {
  return timeText(Math.floor(ms / 1000) * 1000);
}
