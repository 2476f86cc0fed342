/**
 * What goes wrong with a bucket that somebody else set up: keys, clocks, names, networks, servers. Each has a code and a next
 * step of its own; and since servers here repeat in their errors all that they were sent, none may be repeated in ours.
 */
import { openDataset, openReader, type LodeErrorCode } from '../../src/index.ts';
import { s3Store, type S3Store, type S3StoreOptions } from '../../src/s3.ts';
import {
  s3Double,
  type S3Act,
  type S3Answer,
  type S3Double,
  type S3Request,
} from '../../src/testing/index.ts';
import type { Failure } from './failures.ts';

export interface BucketFailure extends Failure {
  readonly code: LodeErrorCode;
  /** Of its message. */
  readonly says: RegExp;
}

interface Scene {
  readonly name: string;
  readonly code: LodeErrorCode;
  readonly says: RegExp;
  readonly options?: Partial<S3StoreOptions>;
  readonly act?: S3Act;
  /** Reads an object unless told. */
  readonly call?: (store: S3Store, double: S3Double) => Promise<unknown>;
}

const name = 'dir/object';

/** An error that tells everybody what the request was signed with. */
function echo(code: string, status = 403): S3Act {
  const answer = (_: S3Answer, request: S3Request): S3Answer => {
    const sent = [...request.headers].map((pair) => pair.join(': ')).join('\n');
    const text = `<Error><Code>${code}</Code><Message>${sent}</Message><StringToSign>${sent}</StringToSign></Error>`;
    const [location, token] = [request.headers.get('authorization') ?? '', request.target];
    return {
      status,
      headers: { 'x-amz-request-id': location, etag: token },
      body: new TextEncoder().encode(text),
    };
  };
  return { effect: 'none', answer };
}

const list = async (store: S3Store): Promise<void> => {
  for await (const _ of store.list(''));
};

const listed = (body: string | Uint8Array): S3Act => ({ answer: { status: 200, body } });

const entities = `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><ListBucketResult><Name>&b;</Name></ListBucketResult>`;

const access: readonly Scene[] = [
  {
    name: 'wrong keys',
    code: 'LODE_UNAUTHENTICATED',
    says: /Check access key id and secret/,
    act: echo('SignatureDoesNotMatch'),
  },
  {
    name: 'an unknown key',
    code: 'LODE_UNAUTHENTICATED',
    says: /belong to this endpoint/,
    act: echo('InvalidAccessKeyId'),
  },
  {
    name: 'an expired token',
    code: 'LODE_UNAUTHENTICATED',
    says: /session token has expired.*Get fresh temporary credentials/,
    act: echo('ExpiredToken', 400),
  },
  {
    name: 'keys that may not',
    code: 'LODE_PERMISSION_DENIED',
    says: /Grant the credentials access to bucket and prefix/,
    act: echo('AccessDenied'),
    call: (store) => store.put(name, 'x'),
  },
  {
    name: 'a clock that stays off',
    code: 'LODE_UNAUTHENTICATED',
    says: /clock.*Set the clock/,
    act: echo('RequestTimeTooSkewed'),
  },
  {
    name: 'a wrong region',
    code: 'LODE_WRONG_ENDPOINT',
    says: /another region.*Set the region and the endpoint/,
    act: echo('AuthorizationHeaderMalformed', 400),
  },
  {
    name: 'a redirect',
    code: 'LODE_WRONG_ENDPOINT',
    says: /Set the region and the endpoint/,
    act: echo('PermanentRedirect', 301),
  },
  {
    name: 'a missing bucket, read',
    code: 'LODE_NO_BUCKET',
    says: /"nowhere".*Create the bucket/,
    options: { bucket: 'nowhere' },
  },
  {
    name: 'a missing bucket, a dataset',
    code: 'LODE_NO_BUCKET',
    says: /Create the bucket/,
    options: { bucket: 'nowhere' },
    call: async (store) => (await openDataset('d', { store })).write([new Uint8Array(1)]),
  },
];

const network: readonly Scene[] = [
  {
    name: 'nobody listens',
    code: 'LODE_UNREACHABLE',
    says: /nobody answers at 127\.0\.0\.1:1\b.*Check the endpoint and the network; nothing was sent/,
    options: { endpoint: 'http://127.0.0.1:1', attempts: 1 },
  },
  {
    name: 'a host without an address',
    code: 'LODE_UNREACHABLE',
    says: /Check the endpoint and the network/,
    options: { endpoint: 'http://nobody.invalid', attempts: 1 },
  },
  {
    name: 'TLS to a server that speaks none',
    code: 'LODE_TLS_FAILED',
    says: /give its endpoint as http:/,
    call: async (_, { bucket, endpoint, credentials }) => {
      const https = endpoint.replace('http:', 'https:');
      await using store = s3Store({ bucket, endpoint: https, credentials });
      await store.get(name);
    },
  },
  ...[
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /Make the certificate of the endpoint one this machine trusts/],
    ['CERT_HAS_EXPIRED', /Make the certificate/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /host name that the certificate is for/],
  ].map(([code, says]): Scene => ({
    name: `a certificate: ${code as string}`,
    code: 'LODE_TLS_FAILED',
    says: says as RegExp,
    options: {
      transport: {
        send: () => Promise.reject(Object.assign(new Error('no'), { code })),
        close: async () => {},
      },
    },
  })),
];

const answers: readonly Scene[] = [
  {
    name: 'a body shorter than announced',
    code: 'LODE_TRUNCATED',
    says: /expected 10, actual 7.*Read it again/,
    act: { lengthOff: 3, end: 'close' },
    call: async (store, double) => {
      double.put(name, 'content');
      await (await store.get(name))?.bytes();
    },
  },
  {
    name: 'a body longer than announced',
    code: 'LODE_INVALID_RESPONSE',
    says: /Check that the endpoint is an S3 server/,
    act: { chunked: true },
    call: async (store, double) => {
      double.put(name, 'content');
      await (await store.get(name))?.bytes();
    },
  },
  {
    name: '5 MB of XML',
    code: 'LODE_INVALID_RESPONSE',
    says: /Check that the endpoint is an S3 server/,
    act: listed(new Uint8Array(5 << 20).fill(0x20)),
    call: list,
  },
  {
    name: 'entities that expand',
    code: 'LODE_INVALID_RESPONSE',
    says: /nothing in between changes its answers/,
    act: listed(entities),
    call: list,
  },
  {
    name: 'a page of a proxy',
    code: 'LODE_INVALID_RESPONSE',
    says: /nothing in between changes its answers/,
    act: listed('<html>Please log in</html>'),
    call: list,
  },
  {
    name: 'a manifest that is foreign content',
    code: 'LODE_MANIFEST_INVALID',
    says: /manifest\.json/,
    call: async (store, double) => {
      const id = '1735689600000000000';
      double.put(`datasets/d/snapshots/${id}/manifest.json`, '{"version":3}');
      await (await openReader({ store })).manifest({ dataset: 'd', id });
    },
  },
  {
    name: 'a key of 1,025 bytes',
    code: 'LODE_INVALID_KEY',
    says: /1024/,
    call: (store) => store.put('k'.repeat(1025), 'x'),
  },
  {
    name: 'a server without conditions',
    code: 'LODE_CONDITIONS_UNSUPPORTED',
    says: /\. \S/,
    act: { ignore: ['if-match', 'if-none-match'] },
    options: { conditions: 'probe' },
    call: (store) => store.put(name, 'x'),
  },
  {
    name: 'no answer to a write',
    code: 'LODE_WRITE_UNCERTAIN',
    says: /details\.resolve\(\)/,
    act: { refuse: 'reset' },
    call: (store) => store.put(name, 'x'),
  },
  {
    name: 'a server that is busy',
    code: 'LODE_UNAVAILABLE',
    says: /Retry with backoff/,
    act: echo('SlowDown', 503),
  },
];

const machine = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_PROFILE',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
] as const;

/** Half of a pair is none. */
async function withoutCredentials(secret: string): Promise<unknown> {
  const before = machine.map((one) => [one, process.env[one]] as const);
  for (const one of machine) delete process.env[one];
  process.env['AWS_CONFIG_FILE'] = process.env['AWS_SHARED_CREDENTIALS_FILE'] = '/no/such/file';
  process.env['AWS_SECRET_ACCESS_KEY'] = secret;
  try {
    await using store = s3Store({ bucket: 'bucket', endpoint: 'http://127.0.0.1:1' });
    return await store.get(name);
  } finally {
    for (const [one, value] of before) {
      if (value === undefined) delete process.env[one];
      else process.env[one] = value;
    }
  }
}

async function onUrl(url: string): Promise<void> {
  await using store = s3Store(url);
  await store.get(name);
}

/** With `secret` in every part of the credentials. */
export function bucketFailures(secret: string): BucketFailure[] {
  const credentials = {
    accessKeyId: `AKID${secret}`,
    secretAccessKey: `${secret}/+=`,
    sessionToken: `token/${secret}`,
  };
  const played = [...access, ...network, ...answers].map((scene) => ({
    ...scene,
    name: `bucket: ${scene.name}`,
    async run() {
      await using double = await s3Double({ credentials: [credentials] });
      const { bucket, endpoint, region } = double;
      const { options, act, call = (one: S3Store) => one.get(name) } = scene;
      await using store = s3Store({
        bucket,
        endpoint,
        region,
        credentials,
        conditions: 'assume',
        attempts: 2,
        backoff: { baseDelayMs: 1, maxDelayMs: 1 },
        ...options,
      });
      if (act !== undefined) double.script({ times: Number.POSITIVE_INFINITY, do: act });
      return await call(store, double);
    },
  }));
  return [
    ...played,
    {
      name: 'bucket: no credentials',
      code: 'LODE_UNAUTHENTICATED',
      says: /there are no credentials.*Pass credentials, set AWS_ACCESS_KEY_ID/,
      run: () => withoutCredentials(secret),
    },
    {
      name: 'bucket: credentials in the URL',
      code: 'LODE_INVALID_ARGUMENT',
      says: /Take the credentials out of the URL/,
      run: () => onUrl(`s3://id:${secret}@bucket/prefix`),
    },
    {
      name: 'bucket: credentials in the endpoint',
      code: 'LODE_INVALID_ARGUMENT',
      says: /pass them as credentials/,
      run: () => onUrl(`s3://bucket/?endpoint=http://id:${secret}@127.0.0.1:1`),
    },
  ];
}
