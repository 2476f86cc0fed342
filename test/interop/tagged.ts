/**
 * Values as they cross to and from the Go peer and as the vectors hold them: JSON in which a plain number is a float64 and
 * every other Go type wears a tag. See test/vectors/dataset/go-v0.9.0/README.md.
 */

/** A Go value without an exact twin in JavaScript. */
export class GoOnly {
  readonly tag: string;
  readonly text: string;
  constructor(tag: string, text: string) {
    this.tag = tag;
    this.text = text;
  }
}

/**
 * The JavaScript value a tagged one stands for. Integers become numbers where that is exact, else bigints; a time becomes
 * a `Date` when it is in UTC and has no more than milliseconds.
 */
export function untag(tagged: unknown): unknown {
  if (Array.isArray(tagged)) return tagged.map(untag);
  if (typeof tagged !== 'object' || tagged === null) return tagged;
  const entries = Object.entries(tagged);
  const [only] = entries;
  if (entries.length === 1 && only?.[0].startsWith('$')) return untagOne(only[0], String(only[1]));
  return Object.fromEntries(entries.map(([name, value]) => [name, untag(value)]));
}

function untagOne(tag: string, text: string): unknown {
  switch (tag) {
    case '$int':
    case '$int32':
    case '$int64':
      return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text);
    case '$float':
      return text === 'NaN' ? NaN : text.startsWith('-') ? -Infinity : Infinity;
    case '$bytes':
      return new Uint8Array(Buffer.from(text, 'base64'));
    case '$time':
      return exactDate(text) ?? new GoOnly(tag, text);
    default:
      return new GoOnly(tag, text);
  }
}

function exactDate(text: string): Date | undefined {
  return /^\d{4}-[^.]*(\.\d{1,3})?Z$/.test(text) ? new Date(text) : undefined;
}
