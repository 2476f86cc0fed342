/** Keyed and plain SHA-256 for signatures. Answers at once here; elsewhere it takes a promise. */
let loaded: typeof import('node:crypto') | undefined;

function crypto(): typeof import('node:crypto') {
  loaded ??= process.getBuiltinModule('node:crypto');
  return loaded;
}

export function sha256(bytes: Uint8Array | string): Uint8Array | Promise<Uint8Array> {
  return crypto().createHash('sha256').update(bytes).digest();
}

export function hmacSha256(key: Uint8Array, text: string): Uint8Array | Promise<Uint8Array> {
  return crypto().createHmac('sha256', key).update(text).digest();
}
