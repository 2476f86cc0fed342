/**
 * From what servers and sockets say to typed errors. Only the code of an answer is believed and repeated, never its prose: that
 * holds headers and signatures.
 */
import { LodeError, type LodeErrorCode } from '../../errors.ts';
import { childText, parseXml } from './xml.ts';

/** What an answer that is no success says of itself; a server may say nothing. */
export interface Fault {
  readonly status: number;
  /** Such as `NoSuchBucket`; `''` when the body has none. */
  readonly code: string;
  readonly region: string | undefined;
}

/** Reads the `<Error>` document of an answer, or of a success that turned out to be none. */
export function faultOf(status: number, body: Uint8Array, region: string | undefined): Fault {
  const root = parseXml(body);
  const error = root?.name === 'Error' ? root : undefined;
  const code = error && childText(error, 'Code')?.trim();
  return {
    status,
    code: code !== undefined && /^[A-Za-z0-9.]{1,64}$/.test(code) ? code : '',
    region: region ?? (error && childText(error, 'Region')?.trim()),
  };
}

const busyCodes = new Set(['SlowDown', 'ServiceUnavailable', 'RequestTimeout', 'TooManyRequests']);

/** The server was busy and says that it did nothing. */
export function isBusy({ status, code }: Fault): boolean {
  return status === 429 || busyCodes.has(code) || code === 'OperationAborted';
}

/** Nobody knows what the server did. */
export function isUnknown(fault: Fault): boolean {
  const { status, code } = fault;
  const full = status === 507 || code === 'QuotaExceeded' || code === 'XMinioStorageFull';
  // 499: MinIO, and proxies, about a client that seemed gone while they worked.
  const isOdd = status === 304 || status === 408 || status === 499;
  return !isBusy(fault) && !full && (isOdd || (status >= 500 && status !== 501));
}

/** Another request was faster and not over yet: ask again, it says. */
export function isRace({ status, code }: Fault): boolean {
  return status === 409 && (code === 'ConditionalRequestConflict' || code === '');
}

type Meaning = readonly [
  code: LodeErrorCode,
  what: string,
  field?: string | undefined,
  next?: string,
];

const wrongKeys: Meaning = [
  'LODE_UNAUTHENTICATED',
  'the server does not accept the credentials',
  'credentials',
  'Check access key id and secret, and that they belong to this endpoint.',
];
const expired: Meaning = [
  'LODE_UNAUTHENTICATED',
  'the session token has expired',
  'credentials.sessionToken',
  'Get fresh temporary credentials, or pass a function that gets them.',
];
const elsewhere: Meaning = [
  'LODE_WRONG_ENDPOINT',
  'the bucket is in another region or behind another endpoint',
  'region',
];
/** Of servers that keep objects in directories, where no name can be both a file and a directory. */
const inTheWay: Meaning = [
  'LODE_INVALID_KEY',
  'one of the two keys is below the other, which this server cannot hold',
];
const notHere: Meaning = ['LODE_INVALID_KEY', 'this server cannot hold this key'];
const full: Meaning = ['LODE_STORAGE_FULL', 'the storage is full'];

const byCode: Readonly<Record<string, Meaning>> = {
  InvalidAccessKeyId: wrongKeys,
  SignatureDoesNotMatch: wrongKeys,
  AuthFailure: wrongKeys,
  Unauthorized: wrongKeys,
  ExpiredToken: expired,
  TokenRefreshRequired: expired,
  InvalidToken: expired,
  RequestTimeTooSkewed: [
    'LODE_UNAUTHENTICATED',
    "this machine's clock and the server's disagree",
    'clock',
    'Set the clock.',
  ],
  NoSuchBucket: ['LODE_NO_BUCKET', 'there is no such bucket'],
  AuthorizationHeaderMalformed: elsewhere,
  PermanentRedirect: elsewhere,
  TemporaryRedirect: elsewhere,
  Redirect: elsewhere,
  IllegalLocationConstraintException: elsewhere,
  QuotaExceeded: full,
  XMinioStorageFull: full,
  KeyTooLongError: ['LODE_INVALID_KEY', 'the key is too long for this server'],
  ExistingObjectIsDirectory: inTheWay,
  ObjectParentIsFile: inTheWay,
  XMinioObjectExistsAsDirectory: inTheWay,
  XMinioParentIsObject: inTheWay,
  XMinioInvalidObjectName: notHere,
  XMinioInvalidResourceName: notHere,
  EntityTooLarge: ['LODE_LIMIT_EXCEEDED', 'the body is too large for this server'],
};

function meaningOf({ status, code }: Fault): Meaning {
  const known = Object.hasOwn(byCode, code) ? byCode[code] : undefined;
  if (known !== undefined) return known;
  if (status === 401) return wrongKeys;
  if (status === 403) return ['LODE_PERMISSION_DENIED', 'the server refused', undefined, denied];
  if (status === 507) return full;
  if ([408, 409, 429, 499].includes(status) || (status >= 500 && status !== 501))
    return ['LODE_UNAVAILABLE', 'the server could not do it now'];
  if (status === 304 || (status > 0 && status < 300))
    return ['LODE_INVALID_RESPONSE', 'the answer makes no sense'];
  if (status < 400) return elsewhere; // what browsers show of a redirect is 0
  return ['LODE_UNSUPPORTED', 'the server does not take this request'];
}

const denied =
  'Grant the credentials access to bucket and prefix: GetObject, PutObject, DeleteObject, ListBucket. ' +
  'Without ListBucket, AWS answers so for missing keys too.';

/** The error that stands for an answer. `key` is that of the object, or the name of the bucket. */
export function failureOf(fault: Fault, key: string): LodeError {
  const [code, what, field, next] = meaningOf(fault);
  return new LodeError(code, what, {
    key,
    ...(field !== undefined && { field }),
    ...(code === 'LODE_WRONG_ENDPOINT' && { expected: regionShown(fault.region) }),
    actual: `${fault.status}${fault.code === '' ? '' : ` ${fault.code}`}`,
    ...(next !== undefined && { next }),
  } as never);
}

function regionShown(region: string | undefined): string | undefined {
  return region !== undefined && /^[a-z0-9-]{1,32}$/.test(region) ? region : undefined;
}

/** An answer that no S3 server gives. */
export function senseless(key: string, what: string, actual?: string | number): LodeError {
  const shown = typeof actual === 'string' ? actual.slice(0, 200) : actual;
  return new LodeError('LODE_INVALID_RESPONSE', what, { key, actual: shown });
}

/** A request that got no answer. */
export interface Lost {
  readonly error: LodeError;
  /** It may have reached the server, whole. */
  readonly sent: boolean;
  readonly passes: boolean;
  /** The server hung up before the request was whole: it had made up its mind, and what it said is lost. */
  readonly cutOff?: boolean;
}

const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const tlsCodes =
  /^(CERT_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$)/;

const noTls = 'If the server speaks no TLS, give its endpoint as http://…';
const tlsSteps: Readonly<Record<string, string>> = {
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_TLS_CERT_ALTNAME_INVALID:
    'Use the host name that the certificate is for; set forcePathStyle where it covers no bucket names.',
};

/** What a failure of the transport means. Its own error is kept as the cause. */
export function lostOf(cause: unknown, key: string, host: string): Lost {
  const code = codeOf(cause);
  if (neverSent.has(code)) {
    const error = new LodeError(
      'LODE_UNREACHABLE',
      `nobody answers at ${host}`,
      { key },
      { cause },
    );
    return { error, sent: false, passes: true };
  }
  if (tlsCodes.test(code)) {
    const what = `no safe connection to ${host}`;
    const next = tlsSteps[code];
    const details = { key, actual: code, ...(next !== undefined && { next }) };
    const error = new LodeError('LODE_TLS_FAILED', what, details, { cause });
    return { error, sent: false, passes: false };
  }
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    const error = new LodeError('LODE_TIMEOUT', `${host} fell silent`, { key }, { cause });
    return { error, sent: true, passes: true };
  }
  if (code.startsWith('HPE_')) {
    const error = senseless(key, `${host} does not speak HTTP`, code);
    return { error, sent: true, passes: true };
  }
  const what = `the connection to ${host} broke`;
  const error = new LodeError('LODE_UNAVAILABLE', what, { key }, { cause });
  const cutOff = cause instanceof Error && 'cutOff' in cause && cause.cutOff === true;
  return { error, sent: !cutOff, passes: true, cutOff };
}

/** Of the error itself, of its cause, or of the first that a happy-eyeballs connection collected. */
function codeOf(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 4; depth++) {
    if ('code' in at && typeof at.code === 'string' && at.code !== '') return at.code;
    at = 'errors' in at && Array.isArray(at.errors) ? at.errors[0] : at.cause;
  }
  return '';
}
