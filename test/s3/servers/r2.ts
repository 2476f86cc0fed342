/**
 * Cloudflare's R2 as its own simulator has it, `miniflare`, behind a bridge that speaks S3: conditions by somebody else's code.
 * Too large for a dependency of ours (165 MB): npm installs it once, beside the other servers.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { s3Double, type S3Request } from '../../../src/testing/index.ts';
import { serversCache } from './build.ts';
import { bridge } from './r2-bridge.ts';
import { workerSource, type Ask, type Told } from './r2-worker.ts';
import type { RunningServer } from './server.ts';

const version = '4.20260426.0';

export const r2: { readonly name: string; readonly release: string; readonly source: string } = {
  name: 'R2 in miniflare',
  release: version,
  source: `From \`miniflare\` \`${version}\`, behind a bridge from S3 to its binding.`,
};

/** The folder of the package, or why there is none. */
export async function installR2(): Promise<
  { readonly folder: string } | { readonly missing: string }
> {
  const folder = join(serversCache(), `miniflare-${version}-${process.platform}-${process.arch}`);
  if (await isThere(folder)) return { folder };
  await mkdir(serversCache(), { recursive: true });
  const room = await mkdtemp(join(serversCache(), 'install-'));
  try {
    const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--no-save'];
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    await promisify(execFile)(npm, [...args, '--prefix', room, `miniflare@${version}`], {
      timeout: 300_000,
    });
    // Another process may have been faster.
    await rename(room, folder).catch(async (error: unknown) => {
      if (!(await isThere(folder))) throw error;
    });
  } catch (error) {
    return { missing: `${r2.name} cannot be installed: ${String(error).trim()}` };
  } finally {
    await rm(room, { recursive: true, force: true });
  }
  return { folder };
}

interface Simulator {
  readonly ready: Promise<URL>;
  dispose(): Promise<void>;
}

export async function startR2(folder: string): Promise<RunningServer> {
  const main = join(folder, 'node_modules/miniflare/dist/src/index.js');
  const { Miniflare } = (await import(pathToFileURL(main).href)) as {
    readonly Miniflare: new (options: object) => Simulator;
  };
  const simulator = new Miniflare({
    modules: true,
    script: workerSource,
    r2Buckets: { bucket: 'lode' },
    compatibilityDate: '2025-01-01',
    host: '127.0.0.1',
    // Nothing of ours is anybody's to ask for.
    cf: false,
  });
  const url = await simulator.ready;
  const credentials = { accessKeyId: 'AKIDCANARYSERVER', secretAccessKey: 'canary/secret+server' };
  const double = await s3Double({ bucket: 'lode', credentials: [credentials] });
  double.script({
    times: Number.POSITIVE_INFINITY,
    do: { serve: bridge((ask, request, body) => call(url, ask, request, body)) },
  });
  return {
    endpoint: double.endpoint,
    bucket: double.bucket,
    region: double.region,
    credentials,
    async [Symbol.asyncDispose]() {
      await double.close();
      await simulator.dispose();
    },
  };
}

/** The simulator takes one call after the other: more connections would only wait there. */
const agent = new Agent({ maxSockets: 16 });

/** Conditions and range go through as they came. */
async function call(
  url: URL,
  ask: Ask,
  request: S3Request,
  body?: Uint8Array,
): Promise<{ told: Told; body: Uint8Array }> {
  const headers: Record<string, string> = { 'x-ask': encodeURIComponent(JSON.stringify(ask)) };
  for (const name of ['if-match', 'if-none-match', 'range']) {
    const value = request.headers.get(name);
    if (value !== undefined) headers[name] = value;
  }
  const method = body === undefined ? 'POST' : 'PUT';
  const asked = httpRequest(url, { method, headers, agent }).end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const told = JSON.parse(decodeURIComponent(String(answer.headers['x-told']))) as Told;
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { told, body: new Uint8Array(Buffer.concat(chunks)) };
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
