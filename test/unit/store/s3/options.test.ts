/** At risk: the wrong bucket, and secrets in URLs and errors. What is given is checked before anything is sent. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, it } from 'node:test';
import { isLodeError } from '../../../../src/index.ts';
import { s3Store, type S3StoreOptions, type TransportRequest } from '../../../../src/s3.ts';
import { Endpoint } from '../../../../src/store/s3/endpoint.ts';
import { parseS3Url } from '../../../../src/store/s3/options.ts';
import { parseProfiles } from '../../../../src/store/s3/profiles.ts';

const credentials = { accessKeyId: 'id', secretAccessKey: 'hidden' };

/** What the first request looks like; it is answered 404. */
async function firstRequest(
  options: Partial<S3StoreOptions>,
  url?: string,
): Promise<TransportRequest> {
  let seen: TransportRequest | undefined;
  const transport = {
    async send(request: TransportRequest) {
      seen ??= request;
      return {
        status: 404,
        header: () => undefined,
        async *chunks() {
          yield new TextEncoder().encode('<Error><Code>NoSuchKey</Code></Error>');
        },
        discard() {},
      };
    },
    async close() {},
  };
  const all = { credentials, ...options, transport };
  const store = url === undefined ? s3Store({ bucket: 'bucket', ...all }) : s3Store(url, all);
  assert.equal(await store.get('a/b c'), undefined);
  assert.ok(seen);
  return seen;
}

function refused(run: () => unknown, field: string): void {
  assert.throws(run, (error) => {
    assert.ok(isLodeError(error, 'LODE_INVALID_ARGUMENT'), String(error));
    assert.equal(error.details.field, field);
    assert.doesNotMatch(inspect(error), /hidden/);
    return true;
  });
}

describe('where a bucket lives', () => {
  const places: readonly (readonly [string, string | undefined, boolean | undefined, string])[] = [
    ['bucket', undefined, undefined, 'https://bucket.s3.eu-west-1.amazonaws.com'],
    ['my.bucket', undefined, undefined, 'https://s3.eu-west-1.amazonaws.com/my.bucket'],
    ['bucket', undefined, true, 'https://s3.eu-west-1.amazonaws.com/bucket'],
    ['bucket', 'http://127.0.0.1:9000', undefined, 'http://127.0.0.1:9000/bucket'],
    ['bucket', 'http://[::1]:9000/', undefined, 'http://[::1]:9000/bucket'],
    ['bucket', 'https://storage.example/s3/', undefined, 'https://storage.example/s3/bucket'],
    ['bucket', 'https://storage.example:443', false, 'https://bucket.storage.example'],
  ];
  for (const [bucket, endpoint, pathStyle, expected] of places)
    it(`${bucket} at ${endpoint ?? 'AWS'} is ${expected}`, () => {
      const { origin, base } = new Endpoint(bucket, 'eu-west-1', endpoint, pathStyle).address;
      assert.equal(origin + base, expected);
    });

  it('in China is another domain', () => {
    const { host } = new Endpoint('bucket', 'cn-north-1', undefined).address;
    assert.equal(host, 'bucket.s3.cn-north-1.amazonaws.com.cn');
  });

  it('follows a region that a server names, and nothing that is none', () => {
    const endpoint = new Endpoint('bucket', 'us-east-1', undefined);
    for (const evil of ['evil.example/', 'a.b', '', 'x'.repeat(99), 'us-east-1', undefined])
      assert.equal(endpoint.correctRegion(evil), false, evil);
    assert.equal(endpoint.correctRegion('eu-central-1'), true);
    assert.equal(endpoint.address.host, 'bucket.s3.eu-central-1.amazonaws.com');
  });
});

describe('options', () => {
  const bucket = 'bucket';
  const wrong: readonly (readonly [string, S3StoreOptions])[] = [
    ['bucket', { bucket: '' }],
    ['bucket', { bucket: 'a/b' }],
    ['bucket', { bucket: 'a?b' }],
    ['bucket', { bucket: 'user:hidden@host' }],
    ['region', { bucket, region: 'evil.example/#' }],
    ['endpoint', { bucket, endpoint: 'localhost:9000/hidden' }],
    ['endpoint', { bucket, endpoint: 'ftp://host' }],
    ['endpoint', { bucket, endpoint: 'not a url hidden' }],
    ['endpoint', { bucket, endpoint: 'http://user:hidden@host' }],
    ['endpoint', { bucket, endpoint: 'http://host/?x=hidden' }],
    ['conditions', { bucket, conditions: 'hope' as 'assume' }],
    ['attempts', { bucket, attempts: 0 }],
    ['backoff.jitter', { bucket, backoff: { jitter: 2 } }],
    ['timeoutMs', { bucket, timeoutMs: Number.NaN }],
    ['partBytes', { bucket, partBytes: 1024 }],
    ['parallelParts', { bucket, parallelParts: 1.5 }],
  ];
  for (const [field, options] of wrong)
    it(`refuse ${field} ${inspect(Object.values(options).at(-1))}`, () =>
      refused(() => s3Store(options), field));

  it('refuse a prefix that leaves the bucket', () => {
    assert.throws(() => s3Store({ bucket, prefix: '../x' }), { code: 'LODE_INVALID_KEY' });
  });
});

describe('a URL', () => {
  it('names bucket, prefix and the rest', () => {
    assert.deepEqual(
      parseS3Url(
        's3://b-1/some/pre%20fix?endpoint=http://h:1&region=r-1&profile=p&forcePathStyle=false&conditions=assume',
      ),
      {
        bucket: 'b-1',
        prefix: 'some/pre fix',
        endpoint: 'http://h:1',
        region: 'r-1',
        profile: 'p',
        forcePathStyle: false,
        conditions: 'assume',
      },
    );
    assert.equal(parseS3Url('s3://bucket').prefix, '');
    assert.equal(parseS3Url(new URL('s3://bucket/')).prefix, '');
  });

  it('leads to where it says', async () => {
    const { origin, path } = await firstRequest({}, 's3://bucket/p?endpoint=http://h:1&region=r-1');
    assert.equal(origin + path, 'http://h:1/bucket/p/a/b%20c');
  });

  for (const [url, field] of [
    ['s3://key:hidden@bucket/', 'url'],
    ['s3:///x', 'url'],
    ['https://bucket', 'url'],
    ['s3://bucket/%ZZ', 'url'],
    ['s3://bucket?regoin=x', 'url'],
    ['s3://bucket?secretAccessKey=hidden', 'url'],
    ['s3://bucket?forcePathStyle=yes', 'forcePathStyle'],
    ['s3://bucket?conditions=hope', 'conditions'],
  ] as const)
    it(`is refused: ${url}`, () => refused(() => s3Store(url), field));
});

describe('credentials and regions of the machine', () => {
  const names =
    'AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION ' +
    'AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE';
  const before = new Map(names.split(' ').map((name) => [name, process.env[name]]));
  const set = (values: Record<string, string>): void => {
    for (const name of before.keys()) delete process.env[name];
    Object.assign(process.env, {
      AWS_CONFIG_FILE: join(tmpdir(), 'lode-no-such-file'),
      AWS_SHARED_CREDENTIALS_FILE: join(tmpdir(), 'lode-no-such-file'),
      ...values,
    });
  };
  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  const machine = { credentials: undefined };
  const keyId = (request: TransportRequest): string | undefined =>
    /Credential=([^/]*)/.exec(request.headers['authorization'] ?? '')?.[1];

  it('come from the environment', async () => {
    set({
      AWS_ACCESS_KEY_ID: 'env-id',
      AWS_SECRET_ACCESS_KEY: 's',
      AWS_SESSION_TOKEN: 't',
      AWS_REGION: 'eu-north-1',
    });
    const request = await firstRequest(machine);
    assert.equal(keyId(request), 'env-id');
    assert.equal(request.headers['x-amz-security-token'], 't');
    assert.equal(request.origin, 'https://bucket.s3.eu-north-1.amazonaws.com');
  });

  it('come from profiles, the one named before the environment', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'lode-s3-'));
    try {
      const config = join(dir, 'config');
      const secrets = join(dir, 'credentials');
      writeFileSync(config, '[default]\nregion = eu-west-3\n[profile team]\nregion=ap-south-1\n');
      writeFileSync(
        secrets,
        '# mine\n[default]\naws_access_key_id=d\naws_secret_access_key=s\n' +
          '[team]\naws_access_key_id = team-id\naws_secret_access_key = s=/+ ; note\n',
      );
      set({ AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: secrets });
      const first = await firstRequest(machine);
      assert.equal(keyId(first), 'd');
      assert.equal(first.origin, 'https://bucket.s3.eu-west-3.amazonaws.com');
      process.env['AWS_ACCESS_KEY_ID'] = 'env-id';
      process.env['AWS_SECRET_ACCESS_KEY'] = 's';
      assert.equal(keyId(await firstRequest(machine)), 'env-id');
      const named = await firstRequest({ ...machine, profile: 'team' });
      assert.equal(keyId(named), 'team-id');
      assert.equal(named.origin, 'https://bucket.s3.ap-south-1.amazonaws.com');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('are missed by name, with what to do', async () => {
    set({});
    await assert.rejects(firstRequest(machine), (error) => {
      assert.ok(isLodeError(error, 'LODE_UNAUTHENTICATED'), String(error));
      assert.equal(error.details.field, 'credentials');
      assert.match(error.message, /AWS_ACCESS_KEY_ID/);
      return true;
    });
  });

  it('go along with the endpoint of the environment', async () => {
    set({ AWS_ENDPOINT_URL: 'http://other:1', AWS_ENDPOINT_URL_S3: 'http://mine:2/' });
    assert.equal((await firstRequest({})).origin, 'http://mine:2');
  });

  it('are none for a public bucket', async () => {
    const request = await firstRequest({ credentials: 'anonymous' });
    assert.equal(request.headers['authorization'], undefined);
  });

  it('come from a function, asked again before they expire and once for all who wait', async () => {
    let asked = 0;
    const provider = async (): Promise<typeof credentials & { expiration: Date }> => {
      asked++;
      return {
        ...credentials,
        expiration: new Date(Date.now() + (asked > 1 ? 3_600_000 : 60_000)),
      };
    };
    const transport = {
      send: async () => ({
        status: 204,
        header: () => undefined,
        async *chunks() {},
        discard() {},
      }),
      close: async () => {},
    };
    const store = s3Store({ bucket: 'bucket', region: 'r', credentials: provider, transport });
    await Promise.all([store.delete('a'), store.delete('b')]);
    assert.equal(asked, 1);
    await store.delete('c');
    await store.delete('d');
    assert.equal(asked, 2);
  });

  it('say so when the function fails or gives nothing that can be sent', async () => {
    const failing = (): never => {
      throw new Error('vault is shut');
    };
    await assert.rejects(firstRequest({ credentials: failing }), {
      code: 'LODE_UNAUTHENTICATED',
      cause: new Error('vault is shut'),
    });
    const broken = { accessKeyId: 'id', secretAccessKey: 'hidden\n' };
    await assert.rejects(firstRequest({ credentials: broken }), (error) => {
      assert.ok(isLodeError(error, 'LODE_UNAUTHENTICATED'));
      assert.equal(error.details.field, 'credentials.secretAccessKey');
      assert.doesNotMatch(inspect(error), /hidden/);
      return true;
    });
  });

  it('keep nested settings and prototypes out of profiles', () => {
    const found = parseProfiles(
      '[ profile  a ]\ns3 =\n  region = nested\n__proto__ = x\nregion=r # note\n',
    );
    assert.deepEqual([...found.keys()], ['profile a']);
    assert.equal(found.get('profile a')?.['region'], 'r');
  });
});
