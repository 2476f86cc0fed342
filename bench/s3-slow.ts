/**
 * The S3 double in a process of its own, every answer late by as much as is asked for: what a bucket some way off feels like.
 * Started by `startSlow`; `node s3-slow.js` is the process.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { s3Store } from '../src/s3.ts';
import type { S3Store } from '../src/s3.ts';
import { s3Double } from '../src/testing/index.ts';

export interface Slow {
  readonly endpoint: string;
  /** Of this bucket. The server honours conditions: no proof is asked for. */
  readonly store: S3Store;
  close(): Promise<void>;
}

export async function startSlow(latencyMs: number): Promise<Slow> {
  const args = ['serve', String(latencyMs)];
  const child = fork(fileURLToPath(import.meta.url), args, { stdio: 'inherit' });
  const endpoint = await new Promise<string>((resolve, reject) => {
    child.once('message', (message) => resolve(message as string));
    child.once('exit', () => reject(new Error('the double did not start')));
  });
  const credentials = { accessKeyId: 'AKIDBENCH', secretAccessKey: 'secret' };
  const store = s3Store({ bucket: 'bucket', endpoint, credentials, conditions: 'assume' });
  return {
    endpoint,
    store,
    async close() {
      await store.close();
      await new Promise((resolve) => {
        child.once('exit', resolve);
        child.disconnect();
      });
    },
  };
}

async function serve(latencyMs: number): Promise<void> {
  const double = await s3Double({ latencyMs, credentials: 'anyone' });
  process.once('disconnect', () => process.exit(0));
  process.send?.(double.endpoint);
}

if (process.argv[2] === 'serve' && process.send !== undefined) await serve(Number(process.argv[3]));
