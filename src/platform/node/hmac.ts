/** Keyed and plain SHA-256 for signatures. Answers at once here; elsewhere it takes a promise. */
let loaded: typeof import('node:crypto') | undefined;

function crypto(): typeof import('node:crypto') {
  loaded ??= process.getBuiltinModule('node:crypto');
  return loaded;
}

/** In lower-case hex. */
export function sha256Hex(data: Uint8Array | string): string | Promise<string> {
  const { createHash, hash } = crypto();
  // Half the price, where Node has it.
  if (typeof hash === 'function') return hash('sha256', data, 'hex');
  return createHash('sha256').update(data).digest('hex');
}

export function hmacSha256(key: Uint8Array, text: string): Uint8Array | Promise<Uint8Array> {
  return crypto().createHmac('sha256', key).update(text).digest();
}

/** In lower-case hex. */
export function hmacSha256Hex(key: Uint8Array, text: string): string | Promise<string> {
  return crypto().createHmac('sha256', key).update(text).digest('hex');
}
