/**
 * P10: how much of the latency of a bucket an operation shows. Over loopback with 50 ms added to every answer, in a process of
 * its own, a write takes little more than its three requests that wait for one another, and a read of 64 files little more
 * than its manifest and two rounds of 32; a hundred scattered reads of a volume at most four rounds. The ideal is that, or what the bare transport takes for the same requests in turn
 * with ours, when a busy machine makes that more.
 */
import { httpClient } from '#platform/http.js';
import { hive, jsonl, openDataset, openVolume } from '../../src/index.ts';
import type { Bar, Contestant } from '../harness.ts';
import { compare, heldTo } from '../harness.ts';
import { startSlow } from '../s3-slow.ts';

const latencyMs = 50;
const files = 64;
/** Requests that a bucket's store has under way at once. */
const width = 32;
const fileBytes = 65_536;

const write = { name: 'write', idealMs: 3 * latencyMs, max: 1.15 };
const read = {
  name: `read of ${files} files`,
  idealMs: (1 + Math.ceil(files / width)) * latencyMs,
  max: 1.25,
};

/** Neighbours are no help: each lies in a block of its own. */
const scattered = { name: 'volume read of 100 scattered 4 KiB', idealMs: 4 * latencyMs, max: 1 };
const scatteredReads = 100;

interface Row {
  readonly part: string;
  readonly text: string;
}

/** A line of about 64 KiB, as is each file. */
const text = 'lode'.repeat(fileBytes / 4 - 16);
const codec = jsonl<Row>();
const layout = hive('part');

/** The same requests without signatures, manifests or checksums: three puts; one get, then 64 of which 32 at once. */
function bare(origin: string): {
  write: Contestant;
  read: Contestant;
  scattered: Contestant;
  close(): Promise<void>;
} {
  const client = httpClient({ timeoutMs: 30_000 });
  const send = async (method: string, key: string, body?: Uint8Array): Promise<void> => {
    const host = origin.slice('http://'.length);
    const headers = { host, 'content-length': String(body?.length ?? 0) };
    const request = { method, origin, path: `/bucket/bare/${key}`, headers, body };
    const response = await client.send({ ...request, signal: undefined, fresh: false });
    for await (const _ of response.chunks());
    if (response.status !== 200) throw new Error(`${method} ${key}: ${response.status}`);
  };
  const getMany = async (count: number): Promise<void> => {
    let left = count;
    const lane = async (): Promise<void> => {
      while (left-- > 0) await send('GET', 'file');
    };
    await Promise.all(Array.from({ length: width }, lane));
  };
  return {
    async write() {
      for (const [key, size] of [['file', fileBytes] as const, ['manifest', 600], ['latest', 19]])
        await send('PUT', String(key), new Uint8Array(Number(size)));
    },
    async read() {
      await send('GET', 'manifest');
      await getMany(files);
    },
    scattered: () => getMany(scatteredReads),
    close: () => client.close(),
  };
}

export const bar: Bar = {
  id: 'P10',
  title: 'latency hiding: a write and a read of 64 files, every answer 50 ms late',
  async run({ release, log }) {
    const rounds = release ? 40 : 15;
    const slow = await startSlow(latencyMs);
    const raw = bare(slow.endpoint);
    try {
      const { store } = slow;
      const one = await openDataset('one', { store, codec });
      const many = await openDataset('many', { store, codec, layout });
      const rows = Array.from({ length: files }, (_, part) => ({ part: `p${part}`, text }));
      const { id } = await many.write(rows);
      const hold = async (
        { name, idealMs, max }: typeof write,
        theirs: Contestant,
        prepare: () => Contestant | Promise<Contestant>,
      ): Promise<{ shown: string; pass: boolean }> => {
        const { value, pass } = await heldTo(1 / max, async () => {
          const ours = await prepare();
          const { oursMs, theirsMs } = await compare(ours, theirs, { name, rounds, log });
          log(`${name}: x ${(oursMs / idealMs).toFixed(3)} of ${idealMs} ms`);
          return Math.max(idealMs, theirsMs) / oursMs;
        });
        return { shown: `${name} x ${(1 / value).toFixed(2)} (bar ${max})`, pass };
      };
      const written = await hold(write, raw.write, () => async () => {
        await one.write([{ part: 'p', text }]);
      });
      const seen = await hold(read, raw.read, async () => {
        // A handle that has the manifest would save a round: each is used once.
        const handles = await Promise.all(
          Array.from({ length: rounds + 1 }, () => openDataset('many', { store, codec, layout })),
        );
        return async () => {
          const found = await handles.pop()?.read(id);
          if (found?.length !== files) throw new Error(`${found?.length} rows of ${files}`);
        };
      });
      const volume = await openVolume('disk', { store, length: scatteredReads * fileBytes });
      const offsets = Array.from({ length: scatteredReads }, (_, i) => i * fileBytes);
      const bytes = new Uint8Array(fileBytes);
      const staged = await Promise.all(offsets.map((at) => volume.stageWriteAt(at, bytes)));
      const v = await volume.commit(staged);
      const found = await hold(scattered, raw.scattered, () => async () => {
        await Promise.all(offsets.map((at) => volume.readAt(v, at + 4096, 4096)));
      });
      return {
        outcome: written.pass && seen.pass && found.pass ? 'pass' : 'fail',
        figure: `of the ideal, ${written.shown}, ${seen.shown}, ${found.shown}`,
      };
    } finally {
      await raw.close();
      await slow.close();
    }
  },
};
