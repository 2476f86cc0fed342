/**
 * Volumes against Go Lode, for the bar `GO`. Both fill volumes of their own; reads and heads are those of one volume that Go has
 * written. Go asks for the manifest with every read, ours keeps that of the snapshot it is given; so `latest` is measured twice,
 * by a handle that asks again, and by one that is opened for it.
 */
import { join } from 'node:path';
import { fsStore } from '../src/fs.ts';
import { md5, openVolume } from '../src/index.ts';
import type { Volume, VolumeOptions } from '../src/index.ts';
import { seededRandom } from '../src/testing/index.ts';
import { warmedUp } from './harness.ts';
import type { GoSession } from '../test/interop/go-peer.ts';

/** A side that does the work once and answers the milliseconds it took. */
export type Side = () => Promise<number>;

export interface VolumeLoad {
  readonly name: string;
  readonly iterations: number;
  /** The ratio it may not fall below; without one it is printed only. */
  readonly floor?: number;
  sides(root: string, go: GoSession): Promise<{ readonly ours: Side; readonly theirs: Side }>;
}

const pageBytes = 4096;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function open(root: string, volume: string, more: Partial<VolumeOptions> = {}): Promise<Volume> {
  return openVolume(volume, {
    store: fsStore(root, { durability: 'none' }),
    checksum: md5(),
    ...more,
  });
}

/** The time that Go measures inside its process. */
async function goTime(
  go: GoSession,
  handle: string,
  volume: object,
  more: object,
): Promise<number> {
  const request = { handle, volume: { volume: 'bench', checksum: 'md5', ...volume }, ...more };
  const { nanoseconds } = await go.request<{ nanoseconds: number }>('volume-bench', request);
  return nanoseconds / 1e6;
}

function commits(
  name: string,
  iterations: number,
  more: Partial<Pick<VolumeOptions, 'manifests'>> & { readonly floor?: number },
): VolumeLoad {
  const { floor, ...options } = more;
  const length = iterations * pageBytes;
  return {
    name,
    iterations,
    ...(floor !== undefined && { floor }),
    async sides(root, go) {
      let turn = 0;
      const fill = async (at: string): Promise<number> => {
        // A volume for each round: manifests grow with what is there.
        const volume = await open(at, `bench-${turn++}`, { length, ...options });
        const page = new Uint8Array(pageBytes).fill(7);
        return timed(async () => {
          for (let i = 0; i < iterations; i++) {
            page[0] = i;
            await volume.commit([await volume.stageWriteAt(i * pageBytes, page)]);
          }
        });
      };
      await warmedUp(async (warm) => {
        for (let done = 0; done < 3_000; done += iterations) await fill(warm);
      });
      return {
        ours: () => fill(join(root, 'ours')),
        theirs: () => {
          const at = { root: join(root, 'go'), volume: `bench-${turn++}`, length };
          const spec = { ...at, blockLength: pageBytes };
          return goTime(go, `${root} ${turn}`, spec, { work: 'commit', iterations });
        },
      };
    },
  };
}

/** Sides on a volume that Go has filled with so many blocks. */
function onFilled(
  { name, iterations, floor }: Pick<VolumeLoad, 'name' | 'iterations' | 'floor'>,
  { blocks, blockLength }: { readonly blocks: number; readonly blockLength: number },
  work: {
    readonly ours: (root: string) => Promise<() => Promise<unknown>>;
    readonly theirs: object;
  },
): VolumeLoad {
  const length = blocks * blockLength;
  return {
    name,
    iterations,
    ...(floor !== undefined && { floor }),
    async sides(root, go) {
      const at = join(root, 'go');
      const spec = { root: at, length, blockLength };
      const fill = {
        handle: root,
        work: 'fill',
        volume: { ...spec, volume: 'bench', count: blocks },
      };
      const { id } = await go.request<{ id: string }>('volume-bench', {
        ...fill,
        volume: { ...fill.volume, checksum: 'md5' },
      });
      const once = await work.ours(at);
      return {
        ours: () =>
          timed(async () => {
            for (let i = 0; i < iterations; i++) await once();
          }),
        theirs: () =>
          goTime(
            go,
            root,
            { ...spec, offset: length, count: pageBytes },
            { ...work.theirs, id, iterations },
          ),
      };
    },
  };
}

export function volumeLoads(release: boolean): VolumeLoad[] {
  const many = release ? 1_000 : 100;
  const small = { blocks: 256, blockLength: 65_536 };
  const large = { blocks: 10_000, blockLength: 16 };
  const latest = { work: 'latest' };
  return [
    commits('volume, stage + commit', many, { floor: 0.4 }),
    commits('volume, stage + commit, ours compact', many, { manifests: 'compact' }),
    onFilled({ name: 'volume, 4 KiB at random', iterations: many * 4, floor: 3 }, small, {
      async ours(root) {
        const volume = await open(root, 'bench');
        const head = await volume.latest();
        const random = seededRandom(1);
        return () =>
          volume.readAt(head, Math.floor(random() * (volume.length - pageBytes)), pageBytes);
      },
      theirs: { work: 'read' },
    }),
    onFilled({ name: 'volume, latest of 10,000 blocks again', iterations: 10, floor: 20 }, large, {
      async ours(root) {
        const volume = await open(root, 'bench');
        return () => volume.latest();
      },
      theirs: latest,
    }),
    onFilled(
      { name: 'volume, latest of 10,000 blocks, opened', iterations: 10, floor: 0.5 },
      large,
      {
        ours: async (root) => async () => (await open(root, 'bench', { length: 160_000 })).latest(),
        theirs: latest,
      },
    ),
  ];
}
