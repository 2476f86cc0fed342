/**
 * AWS Signature Version 4, in a header, for S3: the path is encoded once and every header that is sent is signed, the
 * conditions too, so that nothing on the way can drop one.
 *
 * Bodies up to 64 KiB are signed by their hash. Longer ones go as `UNSIGNED-PAYLOAD`: hashing would halve the speed, TLS
 * protects them on the way and checksums of datasets afterwards.
 */
import { hmacSha256, sha256 } from '#platform/hmac.js';
import { utf8Encode } from '../../bytes/index.ts';
import type { S3Credentials } from './credentials.ts';
import { amzDate, hex } from './encode.ts';

const signedBodyBytesMax = 65_536;
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

interface Unsigned {
  readonly method: string;
  /** Encoded. */
  readonly path: string;
  /** Canonical: see `canonicalQuery`. */
  readonly query: string;
  /** Lower-case names, `host` among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

export class Signer {
  /** Keys by what they depend on: good for a day, four hashes each. */
  #scope = '';
  #secret = '';
  #key: Uint8Array = new Uint8Array(0);

  /** The headers to send: those given, the time, the hash of the body, and the signature over all of them. */
  async sign(
    request: Unsigned,
    credentials: S3Credentials,
    region: string,
    nowMs: number,
  ): Promise<Record<string, string>> {
    const time = amzDate(nowMs);
    const bodyHash = await hashOf(request.body);
    const headers: Record<string, string> = {
      ...request.headers,
      'x-amz-content-sha256': bodyHash,
      'x-amz-date': time,
    };
    if (credentials.sessionToken !== undefined)
      headers['x-amz-security-token'] = credentials.sessionToken;
    const names = Object.keys(headers).sort();
    let canonical = `${request.method}\n${request.path}\n${request.query}\n`;
    for (const name of names) canonical += `${name}:${spaced(headers[name] ?? '')}\n`;
    const signed = names.join(';');
    canonical += `\n${signed}\n${bodyHash}`;

    const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hex(await sha256(utf8Encode(canonical)))}`;
    const key = await this.#keyOf(scope, credentials.secretAccessKey);
    const signature = hex(await hmacSha256(key, text));
    headers['authorization'] =
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, ` +
      `SignedHeaders=${signed}, Signature=${signature}`;
    return headers;
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
  return /^\s|\s$|\s\s/.test(value) ? value.trim().replace(/\s+/g, ' ') : value;
}

async function hashOf(body: Uint8Array | undefined): Promise<string> {
  if (body === undefined || body.length === 0) return emptySha256;
  return body.length > signedBodyBytesMax ? 'UNSIGNED-PAYLOAD' : hex(await sha256(body));
}
