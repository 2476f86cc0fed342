/** Spellings that signatures depend on: percent-encoding as AWS defines it, digests, times. */

/** Everything but `A-Z a-z 0-9 - . _ ~`, by the bytes of its UTF-8. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The path of an object: its slashes stay. */
export function uriEncodeKey(key: string): string {
  return /^[A-Za-z0-9\-._~/]*$/.test(key) ? key : uriEncode(key).replaceAll('%2F', '/');
}

/** Sorted and encoded, as it is signed and sent. */
export function canonicalQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`)
    .sort()
    .join('&');
}

/** From hex to base64, as digests in headers are spelled. */
export function base64OfHex(hex: string): string {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return btoa(String.fromCharCode(...bytes));
}

/** `20260102T030405Z`. */
export function amzDate(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '');
}
