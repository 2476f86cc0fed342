/** Failures as exit codes and words. */
import { isLodeError } from 'lode';
import type { LodeError, LodeErrorCode } from 'lode';
import { jsonText } from './json.ts';
import { rangeText } from './range.ts';
import { plainText } from './text.ts';

const gapsMax = 100;

export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  missing: 3,
  conflict: 4,
  damaged: 5,
  interrupted: 130,
} as const;

/** Mistakes in the call, not in the data. */
const usageCodes: readonly LodeErrorCode[] = [
  'LODE_INVALID_ARGUMENT',
  'LODE_INVALID_KEY',
  'LODE_LAYOUT_MISMATCH',
];

export function exitCodeOf(error: unknown): number {
  if (!isLodeError(error)) return exitCodes.failure;
  if (usageCodes.includes(error.code)) return exitCodes.usage;
  if (error.kind === 'missing') return exitCodes.missing;
  if (error.kind === 'conflict') return exitCodes.conflict;
  return error.kind === 'corrupt' ? exitCodes.damaged : exitCodes.failure;
}

/** For stderr. The stack is for whoever asks with LODE_DEBUG. */
export function failureText(error: unknown, json: boolean): string {
  const debug = process.env['LODE_DEBUG'] ? `${stackOf(error)}\n` : '';
  if (json) return `${debug}${jsonText({ version: 1, error: errorFacts(error) })}\n`;
  if (isLodeError(error))
    return `${debug}lode: ${plainText(error.message)}\n${gapsText(error)}[${error.code}]\n`;
  return `${debug}lode: ${plainText(error instanceof Error ? error.message : String(error))}\n`;
}

/** Every gap by name; of very many the first. */
function gapsText(error: LodeError): string {
  if (!isLodeError(error, 'LODE_RANGE_MISSING')) return '';
  const { gaps } = error.details;
  const lines = gaps.slice(0, gapsMax).map((gap) => `missing ${rangeText(gap)}\n`);
  const more = gaps.length - lines.length;
  return lines.join('') + (more > 0 ? `and ${more} more: lode volume map --missing\n` : '');
}

export function errorFacts(error: unknown): object {
  if (!isLodeError(error))
    return { message: error instanceof Error ? error.message : String(error) };
  const { code, kind, message } = error;
  return { code, kind, message, ...placeOf(error) };
}

function placeOf({ details }: LodeError): object {
  const { key, dataset, volume, snapshot, offset, field } = details;
  const gaps = 'gaps' in details ? details.gaps : undefined;
  return { key, dataset, volume, snapshot, offset, field, gaps };
}

function stackOf(error: unknown): string {
  const own = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? own : `${own}\ncaused by ${stackOf(cause)}`;
}
