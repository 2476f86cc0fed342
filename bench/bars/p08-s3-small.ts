/**
 * P8: small objects over loopback, 16 in flight, against the same transport without signature or store, and against AWS's own
 * client where it is installed. A conditional put costs what a plain one costs.
 */
import { httpClient } from '#platform/http.js';
import { s3Store } from '../../src/s3.ts';
import { compare, heldTo, type Bar, type Contestant } from '../harness.ts';
import { startStub } from '../s3-stub.ts';

const inFlight = 16;
const body = new Uint8Array(1024).fill(97);
const credentials = { accessKeyId: 'AKIDBENCH', secretAccessKey: 'secret' };

const rawMin = 0.5;
const sdkMin = 6;
const conditionalMin = 0.95;

/** `count` calls, 16 of them at a time. */
function many(count: number, call: (i: number) => Promise<unknown>): Contestant {
  return async () => {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < count) await call(next++ % 64);
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
  };
}

export const bar: Bar = {
  id: 'P8',
  title: 'S3 client: 1 KiB PUT and GET, 16 in flight, loopback',
  async run({ release, log }) {
    const count = release ? 3000 : 800;
    const rounds = release ? 15 : 7;
    const stub = await startStub();
    const { endpoint } = stub;
    const client = httpClient({ timeoutMs: 30_000 });
    const store = s3Store({ bucket: 'bucket', endpoint, credentials, conditions: 'assume' });
    const host = endpoint.slice('http://'.length);
    const raw = async (method: string, i: number, sent?: Uint8Array): Promise<void> => {
      const headers = { host, 'content-length': String(sent?.length ?? 0) };
      const path = `/bucket/k${i}`;
      const request = { method, origin: endpoint, path, headers, body: sent, signal: undefined };
      const response = await client.send({ ...request, fresh: false });
      for await (const _ of response.chunks());
    };
    const put = many(count, (i) => store.put(`k${i}`, body, { mode: 'overwrite' }));
    const create = many(count, (i) => store.put(`k${i}`, body));
    const get = many(count, async (i) => (await store.get(`k${i}`))?.bytes());
    try {
      const name = `${count} x 1 KiB,`;
      const shown: string[] = [];
      let passed = true;
      const hold = async (
        what: string,
        min: number,
        ours: Contestant,
        theirs: Contestant,
      ): Promise<void> => {
        const once = (): Promise<number> =>
          compare(ours, theirs, {
            name: `${name} ${what}`,
            // Five in a hundred take more rounds to see than half.
            rounds: min > 0.9 && min < 1 ? rounds * 3 : rounds,
            log,
          }).then(({ ratio }) => ratio);
        const { value, pass } = await heldTo(min, once);
        shown.push(`${what} ${value.toFixed(2)}`);
        passed &&= pass;
      };
      await hold(
        'put/raw',
        rawMin,
        put,
        many(count, (i) => raw('PUT', i, body)),
      );
      await hold(
        'get/raw',
        rawMin,
        get,
        many(count, (i) => raw('GET', i)),
      );
      await hold('create/put', conditionalMin, create, put);
      const sdk = await sdkCalls(endpoint);
      if (sdk !== undefined) {
        await hold('put/sdk', sdkMin, put, many(count, sdk.put));
        await hold('get/sdk', sdkMin, get, many(count, sdk.get));
        sdk.close();
      }
      return {
        outcome: passed ? 'pass' : 'fail',
        figure:
          `ratio ${shown.join(', ')} (bar raw ${rawMin}, conditional ${conditionalMin}, sdk ${sdkMin})` +
          (sdk === undefined ? '; AWS client not installed' : ''),
      };
    } finally {
      await store.close();
      await client.close();
      await stub.close();
    }
  },
};

interface Calls {
  readonly put: (i: number) => Promise<unknown>;
  readonly get: (i: number) => Promise<unknown>;
  close(): void;
}

interface Sdk {
  readonly S3Client: new (options: object) => {
    send(command: object): Promise<{ Body?: { transformToByteArray(): Promise<Uint8Array> } }>;
    destroy(): void;
  };
  readonly PutObjectCommand: new (input: object) => object;
  readonly GetObjectCommand: new (input: object) => object;
}

/** AWS's client in its default form: too heavy to be a dependency of ours. */
async function sdkCalls(endpoint: string): Promise<Calls | undefined> {
  const name = process.env['LODE_AWS_SDK'] ?? '@aws-sdk/client-s3';
  let sdk: Sdk;
  try {
    sdk = (await import(name)) as Sdk;
  } catch {
    return undefined;
  }
  const client = new sdk.S3Client({
    endpoint,
    region: 'us-east-1',
    credentials,
    forcePathStyle: true,
  });
  const at = (i: number): object => ({ Bucket: 'bucket', Key: `k${i}` });
  return {
    put: (i) => client.send(new sdk.PutObjectCommand({ ...at(i), Body: body })),
    get: async (i) =>
      (await client.send(new sdk.GetObjectCommand(at(i)))).Body?.transformToByteArray(),
    close: () => client.destroy(),
  };
}
