/**
 * The servers of this run: those built from `programs.ts` where LODE_TEST_S3_SERVERS=1 (as `.ci/run s3` does), the one at
 * LODE_TEST_S3_ENDPOINT with the keys of AWS_ACCESS_KEY_ID and the bucket of LODE_TEST_S3_BUCKET (`lode` unless told), or
 * none. A server that cannot be built is a reason to skip; with LODE_REQUIRE_PEERS=1 it is a failure.
 */
import { build } from './build.ts';
import { programs } from './programs.ts';
import { startServer } from './server.ts';
import type { Bucket } from './server.ts';

export interface Target {
  readonly name: string;
  /** Why it is left out. */
  readonly skip: string | false;
  open(): Promise<Bucket & AsyncDisposable>;
}

export async function targets(): Promise<readonly Target[]> {
  const endpoint = process.env['LODE_TEST_S3_ENDPOINT'];
  if (endpoint) return [given(endpoint)];
  const wanted = process.env['LODE_TEST_S3_SERVERS'] === '1';
  const list: Target[] = [];
  for (const program of programs) {
    const built = wanted
      ? await build(program)
      : { missing: 'LODE_TEST_S3_SERVERS=1 builds and tests it, LODE_TEST_S3_ENDPOINT another' };
    if (wanted && 'missing' in built && process.env['LODE_REQUIRE_PEERS'] === '1')
      throw new Error(`LODE_REQUIRE_PEERS=1, but ${built.missing}`);
    list.push({
      name: program.name,
      skip: 'missing' in built ? built.missing : false,
      async open() {
        if ('missing' in built) throw new Error(built.missing);
        return startServer(program, built.binary);
      },
    });
  }
  return list;
}

function given(endpoint: string): Target {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId = '',
    AWS_SECRET_ACCESS_KEY: secretAccessKey = '',
    AWS_REGION: region = 'us-east-1',
    LODE_TEST_S3_BUCKET: bucket = 'lode',
  } = process.env;
  const open = async (): Promise<Bucket & AsyncDisposable> => ({
    endpoint,
    bucket,
    region,
    credentials: { accessKeyId, secretAccessKey },
    [Symbol.asyncDispose]: async () => {},
  });
  return { name: new URL(endpoint).host, skip: false, open };
}
