/**
 * The servers of this run: those built from `programs.ts` and R2's simulator where LODE_TEST_S3_SERVERS=1 (as `.ci/run s3`
 * does), the one at LODE_TEST_S3_ENDPOINT with the keys of AWS_ACCESS_KEY_ID and the bucket of LODE_TEST_S3_BUCKET (`lode` unless told), or
 * none. A server that cannot be had is a reason to skip; with LODE_REQUIRE_PEERS=1 it is a failure.
 */
import { build } from './build.ts';
import { programs } from './programs.ts';
import { installR2, r2, startR2 } from './r2.ts';
import { startServer } from './server.ts';
import type { Bucket, RunningServer } from './server.ts';

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
    const built = wanted ? await build(program) : unwanted;
    const start = (binary: string) => startServer(program, binary);
    list.push(target(program.name, 'missing' in built ? built : { at: built.binary }, start));
  }
  const installed = wanted ? await installR2() : unwanted;
  list.push(
    target(r2.name, 'missing' in installed ? installed : { at: installed.folder }, startR2),
  );
  return list;
}

const unwanted = {
  missing: 'LODE_TEST_S3_SERVERS=1 gets and tests it, LODE_TEST_S3_ENDPOINT another',
};

function target(
  name: string,
  found: { readonly at: string } | { readonly missing: string },
  start: (at: string) => Promise<RunningServer>,
): Target {
  if (found !== unwanted && 'missing' in found && process.env['LODE_REQUIRE_PEERS'] === '1')
    throw new Error(`LODE_REQUIRE_PEERS=1, but ${found.missing}`);
  return {
    name,
    skip: 'missing' in found ? found.missing : false,
    async open() {
      if ('missing' in found) throw new Error(found.missing);
      return start(found.at);
    },
  };
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
