/**
 * AWS Signature Version 4, in a header, for S3: the path is encoded once and every header that is sent is signed, the
 * conditions too, so that nothing on the way can drop one.
 *
 * Bodies up to 64 KiB are signed by their hash. Longer ones go as `UNSIGNED-PAYLOAD`: hashing would halve the speed, TLS
 * protects them on the way and checksums of datasets afterwards.
 */
import { hmacSha256, hmacSha256Hex, sha256Hex } from '#platform/hmac.js';
import { utf8Encode } from '../../bytes/index.ts';
import type { S3Credentials } from './credentials.ts';
import { amzDate } from './encode.ts';

const signedBodyBytesMax = 65_536;
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

interface Unsigned {
  readonly method: string;
  /** Encoded. */
  readonly path: string;
  /** Canonical: see `canonicalQuery`. */
  readonly query: string;
  /** Lower-case names, `host` among them. */
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | undefined;
}

interface HeaderOrder {
  readonly names: readonly string[];
  readonly signed: string;
}

export class Signer {
  /** Keys by what they depend on: good for a day, four hashes each. */
  #scope = '';
  #secret = '';
  #key: Uint8Array = new Uint8Array(0);
  readonly #orders: Map<string, HeaderOrder> = new Map();
  #second = Number.NaN;
  #time = '';

  /** Adds to the headers what is to be sent with them: time, hash of the body, signature. */
  async sign(
    request: Unsigned,
    credentials: S3Credentials,
    region: string,
    nowMs: number,
  ): Promise<void> {
    const time = this.#timeOf(nowMs);
    const bodyHash = await hashOf(request.body);
    const { headers } = request;
    headers['x-amz-content-sha256'] = bodyHash;
    headers['x-amz-date'] = time;
    if (credentials.sessionToken !== undefined)
      headers['x-amz-security-token'] = credentials.sessionToken;
    const { names, signed } = this.#orderOf(Object.keys(headers));
    let canonical = `${request.method}\n${request.path}\n${request.query}\n`;
    for (const name of names) canonical += `${name}:${spaced(headers[name] ?? '')}\n`;
    canonical += `\n${signed}\n${bodyHash}`;

    const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${await sha256Hex(canonical)}`;
    const key = await this.#keyOf(scope, credentials.secretAccessKey);
    const signature = await hmacSha256Hex(key, text);
    headers['authorization'] =
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, ` +
      `SignedHeaders=${signed}, Signature=${signature}`;
  }

  /** Requests come in a dozen shapes: each is sorted once. */
  #orderOf(names: readonly string[]): HeaderOrder {
    const shape = names.join(';');
    let order = this.#orders.get(shape);
    if (order === undefined) {
      const sorted = [...names].sort();
      order = { names: sorted, signed: sorted.join(';') };
      this.#orders.set(shape, order);
    }
    return order;
  }

  #timeOf(nowMs: number): string {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#time = amzDate(nowMs);
    }
    return this.#time;
  }

  async #keyOf(scope: string, secret: string): Promise<Uint8Array> {
    if (this.#scope !== scope || this.#secret !== secret) {
      let key = utf8Encode(`AWS4${secret}`);
      for (const part of scope.split('/')) key = await hmacSha256(key, part);
      this.#scope = scope;
      this.#secret = secret;
      this.#key = key;
      return key;
    }
    return this.#key;
  }
}

/** Values count without outer spaces and with single ones inside. */
function spaced(value: string): string {
  const trimmed = value.trim();
  return trimmed.includes('  ') ? trimmed.replace(/ +/g, ' ') : trimmed;
}

async function hashOf(body: Uint8Array | undefined): Promise<string> {
  if (body === undefined || body.length === 0) return emptySha256;
  return body.length > signedBodyBytesMax ? 'UNSIGNED-PAYLOAD' : sha256Hex(body);
}
