/** The leaves of a manifest as text: what could not be read back is refused here, before a pointer can name it (E-4). */
import { jsonText } from '../encoding/json/index.ts';
import { quote } from '../encoding/json/text.ts';
import { LodeError } from '../errors.ts';

/** A raw newline can only be indentation: those inside strings are escaped. */
export function metadataText(metadata: unknown): string {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw refused('metadata', metadata === null ? 'null' : typeof metadata);
  for (const _ in metadata)
    return jsonText(metadata, { indent: 2, root: 'metadata' }).replaceAll('\n', '\n  ');
  return '{}';
}

export function string(text: string): string {
  return quote(text, 'manifest');
}

/** A string that a reader insists on. */
export function name(text: string, field: string): string {
  if (text === '') throw refused(field, 'empty');
  return quote(text, 'manifest');
}

export function count(value: number, field: string): string {
  if (!Number.isSafeInteger(value) || value < 0) throw refused(field, String(value));
  return value === 0 ? '0' : `${value}`;
}

export function refused(field: string, actual: string): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'a manifest cannot hold this value', {
    field,
    actual,
  });
}
