/**
 * P9: 256 MiB (64 MiB in short) streamed up in parts and down again over loopback, against the same transport that cuts the same
 * stream into parts of the same size, as many at once. Memory stays below four times the parts under way, and those are less
 * than the object.
 */
import { httpClient } from '#platform/http.js';
import { s3Store } from '../../src/s3.ts';
import type { S3Store } from '../../src/s3.ts';
import { collectGarbage } from '../curve.ts';
import { compare, heldTo, type Bar, type Contestant } from '../harness.ts';
import { startStub } from '../s3-stub.ts';

const mebibyte = 1024 * 1024;
const ratioMin = 0.8;
const credentials = { accessKeyId: 'AKIDBENCH', secretAccessKey: 'secret' };
/** What the ratios are taken with. */
const fast = { partBytes: 8 * mebibyte, parallelParts: 4 };
/** What memory is measured with: the bound is a fraction of the object. */
const small = { partBytes: 5 * mebibyte, parallelParts: 2 };
const memoryTotalBytes = 256 * mebibyte;
const growthMax = 4 * small.partBytes * small.parallelParts;

const chunk = new Uint8Array(64 * 1024).fill(1);
async function* streamed(totalBytes: number): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < totalBytes; sent += chunk.length) yield chunk;
}

function open(endpoint: string, parts: typeof fast): S3Store {
  return s3Store({ bucket: 'bucket', endpoint, credentials, conditions: 'assume', ...parts });
}

async function up(store: S3Store, totalBytes: number): Promise<void> {
  await store.put('large', streamed(totalBytes), { mode: 'overwrite' });
}

async function down(store: S3Store, totalBytes: number): Promise<void> {
  let bytes = 0;
  const object = await store.get(`zeros/${totalBytes / mebibyte}`);
  for await (const { length } of object?.stream() ?? []) bytes += length;
  if (bytes !== totalBytes) throw new Error(`${bytes} bytes came down`);
}

/** The transport alone: requests without signature, answers read to their end. */
class Raw {
  readonly #client = httpClient({ timeoutMs: 30_000 });
  readonly #origin: string;

  constructor(origin: string) {
    this.#origin = origin;
  }

  async send(method: string, path: string, body?: Uint8Array): Promise<void> {
    const host = this.#origin.slice('http://'.length);
    const headers = { host, 'content-length': String(body?.length ?? 0) };
    const request = { method, origin: this.#origin, path, headers, body, signal: undefined };
    const response = await this.#client.send({ ...request, fresh: false });
    for await (const _ of response.chunks());
  }

  /** Each lane fills a part of its own from the stream, and sends it. */
  async up(totalBytes: number): Promise<void> {
    const chunks = streamed(totalBytes);
    const lane = async (_: unknown, number: number): Promise<void> => {
      const part = new Uint8Array(fast.partBytes);
      for (;;) {
        let filled = 0;
        while (filled < part.length) {
          const { value, done } = await chunks.next();
          if (done === true) break;
          part.set(value, filled);
          filled += value.length;
        }
        if (filled === 0) return;
        const path = `/bucket/large?partNumber=${number + 1}&uploadId=u`;
        await this.send('PUT', path, part.subarray(0, filled));
      }
    };
    await Promise.all(Array.from({ length: fast.parallelParts }, lane));
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** How far resident memory rises above what it was before. */
async function growth(work: Contestant): Promise<number> {
  collectGarbage();
  const before = process.memoryUsage.rss();
  let peak = before;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 2);
  await work();
  clearInterval(watch);
  return Math.max(peak, process.memoryUsage.rss()) - before;
}

/** Of streaming up and down, once code is loaded and connections are open. */
async function memory(endpoint: string): Promise<{ up: number; down: number }> {
  const store = open(endpoint, small);
  try {
    for (let i = 0; i < 3; i++) await down(store, mebibyte);
    await up(store, mebibyte);
    return {
      up: await growth(() => up(store, memoryTotalBytes)),
      down: await growth(() => down(store, memoryTotalBytes)),
    };
  } finally {
    await store.close();
  }
}

export const bar: Bar = {
  id: 'P9',
  title: 'S3 large objects streamed up and down, and the memory it takes',
  async run({ release, log }) {
    const totalBytes = (release ? 256 : 64) * mebibyte;
    const stub = await startStub();
    let grown = await memory(stub.endpoint);
    // When garbage is collected is chance: what is held shows in the least of three.
    for (let i = 0; i < 2 && Math.max(grown.up, grown.down) > growthMax; i++) {
      const again = await memory(stub.endpoint);
      grown = { up: Math.min(grown.up, again.up), down: Math.min(grown.down, again.down) };
    }
    const raw = new Raw(stub.endpoint);
    const store = open(stub.endpoint, fast);
    try {
      const mib = (bytes: number): string => (bytes / mebibyte).toFixed(0);
      log(`${mib(memoryTotalBytes)} MiB: +${mib(grown.up)} MiB up, +${mib(grown.down)} MiB down`);
      const hold = (
        name: string,
        ours: Contestant,
        theirs: Contestant,
      ): ReturnType<typeof heldTo> => {
        const options = { name: `${name} ${mib(totalBytes)} MiB`, rounds: release ? 9 : 7, log };
        return heldTo(ratioMin, async () => (await compare(ours, theirs, options)).ratio);
      };
      const upward = await hold(
        'up',
        () => up(store, totalBytes),
        () => raw.up(totalBytes),
      );
      const downward = await hold(
        'down',
        () => down(store, totalBytes),
        () => raw.send('GET', `/bucket/zeros/${mib(totalBytes)}`),
      );
      const most = Math.max(grown.up, grown.down);
      return {
        outcome: upward.pass && downward.pass && most <= growthMax ? 'pass' : 'fail',
        figure:
          `ratio up ${upward.value.toFixed(2)}, down ${downward.value.toFixed(2)} (bar ${ratioMin}), ` +
          `memory +${mib(most)} MiB (bar ${mib(growthMax)})`,
      };
    } finally {
      await store.close();
      await raw.close();
      await stub.close();
    }
  },
};
