/** Values as JSON text. The library's own encoder: bigints, times and bytes keep the form they have in JSON Lines. */
import { jsonl } from 'lode';

const codec = jsonl<unknown>({ lineBytesMax: Number.MAX_SAFE_INTEGER });
const decoder = new TextDecoder();

export function jsonText(value: unknown): string {
  const encoder = codec.encoder();
  const early = encoder.write(defined(value), 0);
  const rest = encoder.finish();
  let text = '';
  for (const part of [early, rest]) if (part instanceof Uint8Array) text += decoder.decode(part);
  return text.trimEnd();
}

/** Without members that are undefined: they say "not there", which JSON says by leaving them out. */
function defined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(defined);
  if (typeof value !== 'object' || value === null) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, defined(member)]),
  );
}
