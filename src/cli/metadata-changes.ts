/** What is different between the metadata of two snapshots. */
import type { Metadata } from 'lode';
import { jsonText } from './json.ts';
import { plainText, valueText } from './text.ts';

interface Carrier {
  readonly metadata: Metadata;
}

interface MetadataChange {
  readonly name: string;
  readonly from: unknown;
  readonly to: unknown;
}

export function metadataChanges(from: Carrier, to: Carrier): MetadataChange[] {
  const names = new Set([...Object.keys(from.metadata), ...Object.keys(to.metadata)]);
  return [...names]
    .sort()
    .map((name) => ({ name, from: from.metadata[name], to: to.metadata[name] }))
    .filter((change) => jsonText([change.from ?? null]) !== jsonText([change.to ?? null]));
}

export function metadataLines(from: Carrier, to: Carrier): string[] {
  const shown = (value: unknown): string => (value === undefined ? 'none' : valueText(value));
  return metadataChanges(from, to).map(
    (change) => `metadata ${plainText(change.name)}: ${shown(change.from)} to ${shown(change.to)}`,
  );
}
