/**
 * Checks Signature Version 4 as the service does: header signing, session tokens, hashed and unsigned payloads. Written
 * apart from any signer of ours, so that the two cannot be wrong together.
 */
import { utf8Encode } from '../../bytes/index.ts';
import { sha256 } from '../../encoding/checksums/index.ts';
import { fault } from './faults.ts';
import { percentEncode, type S3Answer, type S3Request } from './protocol.ts';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Requests signed with these are answered `ExpiredToken` from then on; by the clock of the double. */
  readonly expiresMs?: number;
}

interface Claim {
  readonly accessKeyId: string;
  readonly scope: readonly string[];
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const skewMaxMs = 900_000;

/** Checks the head of a request; `undefined` when it is in order. */
export function refuseHead(
  request: S3Request,
  credentials: readonly S3Credentials[],
  region: string,
  nowMs: number,
): S3Answer | undefined {
  const header = request.headers.get('authorization');
  if (header === undefined) return fault(request, 'AccessDenied');
  const claim = parseClaim(header);
  if (claim?.scope.length !== 4) return fault(request, 'AuthorizationHeaderMalformed');
  if (claim.scope[1] !== region)
    return fault(request, 'AuthorizationHeaderMalformed', { Region: region });
  const own = credentials.find(({ accessKeyId }) => accessKeyId === claim.accessKeyId);
  if (own === undefined)
    return fault(request, 'InvalidAccessKeyId', { AWSAccessKeyId: claim.accessKeyId });
  return (
    refuseToken(request, own, nowMs) ??
    refuseTime(request, claim, nowMs) ??
    refuseUnsigned(request, claim) ??
    refuseSignature(request, claim, own)
  );
}

/** Checks the body against the hash that was signed. */
export function refuseBody(request: S3Request): S3Answer | undefined {
  const claimed = request.headers.get('x-amz-content-sha256') ?? '';
  if (claimed === 'UNSIGNED-PAYLOAD') return undefined;
  if (claimed.startsWith('STREAMING-')) return fault(request, 'NotImplemented');
  const actual = hash(request.body);
  if (claimed === actual) return undefined;
  return fault(request, 'XAmzContentSHA256Mismatch', {
    ClientComputedContentSHA256: claimed,
    S3ComputedContentSHA256: actual,
  });
}

function parseClaim(header: string): Claim | undefined {
  const match =
    /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)\/([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
      header,
    );
  if (match === null) return undefined;
  const [, accessKeyId = '', scope = '', headers = '', signature = ''] = match;
  return {
    accessKeyId,
    scope: scope.split('/'),
    signedHeaders: headers.split(';'),
    signature,
  };
}

function refuseToken(request: S3Request, own: S3Credentials, nowMs: number): S3Answer | undefined {
  const token = request.headers.get('x-amz-security-token');
  if (token !== own.sessionToken) return fault(request, 'InvalidToken', { 'Token-0': token ?? '' });
  if (own.expiresMs === undefined || nowMs < own.expiresMs) return undefined;
  return fault(request, 'ExpiredToken', { 'Token-0': token ?? '' });
}

function refuseTime(request: S3Request, claim: Claim, nowMs: number): S3Answer | undefined {
  const date = request.headers.get('x-amz-date') ?? '';
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  if (match === null) return fault(request, 'AccessDenied', { Reason: 'no valid x-amz-date' });
  if (!date.startsWith(claim.scope[0] ?? '-'))
    return fault(request, 'AuthorizationHeaderMalformed');
  const [year = 0, month = 0, ...rest] = match.slice(1).map(Number);
  if (Math.abs(Date.UTC(year, month - 1, ...rest) - nowMs) <= skewMaxMs) return undefined;
  return fault(request, 'RequestTimeTooSkewed', {
    RequestTime: date,
    ServerTime: new Date(nowMs).toISOString(),
    MaxAllowedSkewMilliseconds: skewMaxMs,
  });
}

/** Every header that changes what a request means has to be under the signature. */
function refuseUnsigned(request: S3Request, claim: Claim): S3Answer | undefined {
  const wanted = [...request.headers.keys()].filter(
    (name) => name === 'host' || name === 'content-md5' || name.startsWith('x-amz-'),
  );
  const missing = wanted.filter((name) => !claim.signedHeaders.includes(name));
  if (missing.length === 0 && claim.signedHeaders.includes('host')) return undefined;
  return fault(request, 'AccessDenied', { HeadersNotSigned: missing.join(', ') });
}

function refuseSignature(
  request: S3Request,
  claim: Claim,
  own: S3Credentials,
): S3Answer | undefined {
  const canonical = canonicalRequest(request, claim);
  const text = [
    'AWS4-HMAC-SHA256',
    request.headers.get('x-amz-date') ?? '',
    claim.scope.join('/'),
    hash(utf8Encode(canonical)),
  ].join('\n');
  let key = utf8Encode(`AWS4${own.secretAccessKey}`);
  for (const part of claim.scope) key = hmac(key, part);
  if (hex(hmac(key, text)) === claim.signature) return undefined;
  return fault(request, 'SignatureDoesNotMatch', {
    AWSAccessKeyId: own.accessKeyId,
    StringToSign: text,
    SignatureProvided: claim.signature,
    CanonicalRequest: canonical,
  });
}

/** Made from what the request means, not from how it was spelled: a client that spells otherwise signs something else. */
function canonicalRequest(request: S3Request, claim: Claim): string {
  const raw = request.target.split('?')[0] ?? '';
  const path = percentEncode(decodeURIComponent(raw.replaceAll('+', '%20')), '/');
  const query = [...request.query]
    .map(([name, value]) => [percentEncode(name), percentEncode(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map((pair) => pair.join('='))
    .join('&');
  const headers = claim.signedHeaders.map((name) => {
    const value = (request.headers.get(name) ?? '').trim().replace(/ +/g, ' ');
    return `${name}:${value}\n`;
  });
  return [
    request.method,
    path,
    query,
    headers.join(''),
    claim.signedHeaders.join(';'),
    request.headers.get('x-amz-content-sha256') ?? '',
  ].join('\n');
}

const hash = (bytes: Uint8Array): string => sha256().hash?.(bytes) ?? '';

const blockBytes = 64;

/** RFC 2104 over SHA-256. */
function hmac(key: Uint8Array, text: string): Uint8Array {
  const block = new Uint8Array(blockBytes);
  block.set(key.length > blockBytes ? unhex(hash(key)) : key);
  const round = (mask: number, message: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(blockBytes + message.length);
    bytes.set(block.map((byte) => byte ^ mask));
    bytes.set(message, blockBytes);
    return unhex(hash(bytes));
  };
  return round(0x5c, round(0x36, utf8Encode(text)));
}

export function unhex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
