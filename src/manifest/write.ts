/** The leaves of a manifest as text: what could not be read back is refused here, before a pointer can name it (E-4). */
import { jsonText, parseJsonText } from '../encoding/json/index.ts';
import { quote } from '../encoding/json/text.ts';
import { LodeError } from '../errors.ts';
import type { Subject } from '../errors.ts';
import type { Metadata } from './read.ts';

/**
 * Metadata as a reader will find it, checked before anything is uploaded for it. What its giver does with the object
 * later changes neither what is committed nor the snapshot that a handle remembers.
 */
export function ownMetadata(given: Metadata | null | undefined): Metadata {
  const text = metadataText(given ?? {});
  return parseJsonText(text, { integers: 'exact' }, { key: 'metadata' }) as Metadata;
}

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

/** How much of a manifest its readers take. */
interface WrittenLimits {
  readonly bytesMax: number;
  readonly listedMax: number;
  /** The member that lists. */
  readonly field: string;
  readonly subject: Subject;
}

/** Refuses a manifest that its own writer could not read: it would become the head of a history, and the end of it. */
export function readable(
  bytes: Uint8Array,
  listed: number,
  { bytesMax, listedMax, field, subject }: WrittenLimits,
): Uint8Array {
  if (listed > listedMax) throw tooLarge({ ...subject, field }, listedMax, listed);
  if (bytes.length > bytesMax) throw tooLarge(subject, bytesMax, bytes.length);
  return bytes;
}

export function tooLarge(
  details: Subject & { readonly field?: string },
  expected: number,
  actual: number,
): LodeError {
  return new LodeError(
    'LODE_LIMIT_EXCEEDED',
    'the manifest of this commit would be too large to be read',
    {
      ...details,
      expected,
      actual,
      next:
        details.volume === undefined
          ? 'Commit fewer and larger files, or raise the limits of all who read them.'
          : "Commit larger blocks, raise the limits of all who read them, or open it with manifests: 'compact'.",
    },
  );
}

export function refused(field: string, actual: string): LodeError {
  return new LodeError('LODE_INVALID_ARGUMENT', 'a manifest cannot hold this value', {
    field,
    actual,
  });
}
