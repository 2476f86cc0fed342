/**
 * One server on the loopback interface with an empty bucket, in a process and a folder of its own. Closing it ends the
 * process by its id and removes the folder.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Signer } from '../../../src/store/s3/sign.ts';
import type { Place, Program } from './programs.ts';

/** Where a bucket is, and with which keys. */
export interface Bucket {
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface RunningServer extends Bucket, AsyncDisposable {}

/** Easy to recognise wherever they should not be. */
const credentials = { accessKeyId: 'AKIDCANARYSERVER', secretAccessKey: 'canary/secret+server' };
const readyWithinMs = 60_000;

export async function startServer(program: Program, binary: string): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), 'lode-server-'));
  const place: Place = { port: await freePort(), folder, ...credentials };
  const { args, env } = program.start(place);
  const process_ = spawn(binary, args, {
    env: { PATH: process.env['PATH'], HOME: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: string[] = [];
  for (const stream of [process_.stdout, process_.stderr])
    stream.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  const close = async (): Promise<void> => {
    await end(process_);
    await rm(folder, { recursive: true, force: true });
  };
  const server: Bucket = {
    endpoint: `http://127.0.0.1:${place.port}`,
    bucket: 'lode',
    region: 'us-east-1',
    credentials,
  };
  try {
    await createBucket(server, process_);
  } catch (error) {
    await close();
    throw new Error(`${program.name} does not start: ${said.join('').slice(-2000)}`, {
      cause: error,
    });
  }
  return { ...server, [Symbol.asyncDispose]: close };
}

/** Asks until the server answers: a server that has created a bucket is ready. */
async function createBucket(
  { endpoint, bucket, region, credentials: keys }: Bucket,
  server: ChildProcess,
): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  for (;;) {
    const headers = { host: new URL(endpoint).host };
    const request = { method: 'PUT', path: `/${bucket}`, query: '', headers, body: undefined };
    await new Signer().sign(request, keys, region, Date.now());
    const status = await fetch(`${endpoint}/${bucket}`, { method: 'PUT', headers }).then(
      async (response) => (await response.arrayBuffer(), response.status),
      () => 0,
    );
    if (status === 200) return;
    if (server.exitCode !== null) throw new Error(`it ended with ${server.exitCode}`);
    if (Date.now() > deadline) throw new Error(`no bucket: ${status || 'no answer'}`);
    await wait(50);
  }
}

async function freePort(): Promise<number> {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as AddressInfo;
  holder.close();
  await once(holder, 'close');
  return port;
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  const stubborn = setTimeout(() => server.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(stubborn);
}
