/** Processes that fill one volume at once, each with blocks of its own, and what each was told. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GoPeer } from './go-peer.ts';
import type { GoVolumeSpec } from './go-volume.ts';
import { LineProcess } from './line-process.ts';

const worker = fileURLToPath(new URL('volume-race-worker.js', import.meta.url));

export interface VolumeRace extends Omit<GoVolumeSpec, 'length'> {
  /** Blocks that each process commits, one by one. */
  readonly commits: number;
  /** Bytes of a block. */
  readonly block: number;
  /** How ours is opened. */
  readonly peers?: 'go';
}

export interface VolumeRacerSpec extends VolumeRace {
  readonly length: number;
  /** Every `stride`th block is this one's, from the `first` on. */
  readonly first: number;
  readonly stride: number;
  readonly writer: string;
}

export interface VolumeRacer {
  readonly isOurs: boolean;
  /** By the offset of the block, the snapshot that was acknowledged. */
  readonly acked: ReadonlyMap<number, string>;
  readonly failed: readonly string[];
}

/** Without a Go peer all are ours, otherwise half of them. */
export async function raceForVolume(
  race: VolumeRace,
  { peer, processes = 4 }: { readonly peer?: GoPeer; readonly processes?: number },
): Promise<VolumeRacer[]> {
  const length = race.block * race.commits * processes;
  const racers = Array.from({ length: processes }, (_, first) => {
    const isOurs = peer === undefined || first % 2 === 0;
    const spec = { ...race, length, first, stride: processes, writer: `writer ${first}` };
    const text = JSON.stringify(spec satisfies VolumeRacerSpec);
    const process_ = isOurs
      ? new LineProcess(spawn(process.execPath, [worker, text]))
      : peer.spawn('race-volume', text);
    return { process_, isOurs };
  });
  // Go starts fast; ours say when they are ready.
  let waiting = racers.filter(({ isOurs }) => isOurs).length;
  const ready = (): void => {
    if (--waiting === 0) for (const { process_ } of racers) process_.send('go');
  };
  try {
    return await Promise.all(
      racers.map(async ({ process_, isOurs }) => ({ isOurs, ...(await heard(process_, ready)) })),
    );
  } finally {
    // Those that still wait to be let go end, too.
    await Promise.all(racers.map(({ process_ }) => process_[Symbol.asyncDispose]()));
  }
}

async function heard(
  racer: LineProcess,
  ready: () => void,
): Promise<{ acked: Map<number, string>; failed: string[] }> {
  const acked = new Map<number, string>();
  const failed: string[] = [];
  for await (const value of racer.lines()) {
    const line = value as {
      acked?: string;
      offset?: number;
      failed?: unknown;
      ready?: true;
      done?: true;
    };
    if (line.ready) ready();
    if (line.acked !== undefined) acked.set(line.offset ?? -1, line.acked);
    if (line.failed !== undefined) failed.push(JSON.stringify(line.failed));
    if (line.done) return { acked, failed };
  }
  throw new Error(`a racer ended early: ${racer.complaint}`);
}
