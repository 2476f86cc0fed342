/**
 * P9: 256 MiB streamed up in parts and down again over loopback, against the same transport with parts of the same size, as many
 * at once. Memory stays below four times the parts under way.
 */
import { httpClient } from '#platform/http.js';
import { s3Store } from '../../src/s3.ts';
import { compare, heldTo, type Bar } from '../harness.ts';
import { startStub } from '../s3-stub.ts';

const mebibyte = 1024 * 1024;
const totalBytes = 256 * mebibyte;
const partBytes = 8 * mebibyte;
const parallel = 8;
const ratioMin = 0.8;
const credentials = { accessKeyId: 'AKIDBENCH', secretAccessKey: 'secret' };

const chunk = new Uint8Array(64 * 1024).fill(1);
async function* streamed(): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < totalBytes; sent += chunk.length) yield chunk;
}

export const bar: Bar = {
  id: 'P9',
  title: 'S3 large objects: 256 MiB streamed up and down, and the memory it takes',
  async run({ release, log }) {
    const stub = await startStub();
    const { endpoint } = stub;
    const client = httpClient({ timeoutMs: 30_000 });
    const store = s3Store({
      bucket: 'bucket',
      endpoint,
      credentials,
      conditions: 'assume',
      partBytes,
      parallelParts: parallel,
    });
    const part = new Uint8Array(partBytes).fill(1);
    const raw = async (method: string, path: string, body?: Uint8Array): Promise<number> => {
      const headers = {
        host: endpoint.slice('http://'.length),
        'content-length': String(body?.length ?? 0),
      };
      const request = { method, origin: endpoint, path, headers, body, signal: undefined };
      const response = await client.send({ ...request, fresh: false });
      let bytes = 0;
      for await (const { length } of response.chunks()) bytes += length;
      return bytes;
    };
    const rawUp = async (): Promise<void> => {
      let sent = 0;
      const lane = async (): Promise<void> => {
        while (sent < totalBytes) {
          sent += partBytes;
          await raw('PUT', `/bucket/large?partNumber=${sent / partBytes}&uploadId=u`, part);
        }
      };
      await Promise.all(Array.from({ length: parallel }, lane));
    };
    const up = async (): Promise<void> =>
      void (await store.put('large', streamed(), { mode: 'overwrite' }));
    const down = async (): Promise<void> => {
      let bytes = 0;
      for await (const { length } of (await store.get('zeros'))?.stream() ?? []) bytes += length;
      if (bytes !== totalBytes) throw new Error(`${bytes} bytes came down`);
    };
    const before = process.memoryUsage().rss;
    let peak = before;
    const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5);
    try {
      const options = { rounds: release ? 9 : 5, log };
      const upward = await heldTo(ratioMin, () =>
        compare(up, rawUp, { name: 'up', ...options }).then(({ ratio }) => ratio),
      );
      const downward = await heldTo(ratioMin, () =>
        compare(down, async () => void (await raw('GET', '/bucket/zeros')), {
          name: 'down',
          ...options,
        }).then(({ ratio }) => ratio),
      );
      const grownMiB = Math.round((peak - before) / mebibyte);
      const grownMax = (4 * partBytes * parallel) / mebibyte;
      return {
        outcome: upward.pass && downward.pass && grownMiB <= grownMax ? 'pass' : 'fail',
        figure:
          `ratio up ${upward.value.toFixed(2)}, down ${downward.value.toFixed(2)} (bar ${ratioMin}), ` +
          `${grownMiB} MiB more memory (bar ${grownMax})`,
      };
    } finally {
      clearInterval(watch);
      await store.close();
      await client.close();
      await stub.close();
    }
  },
};
