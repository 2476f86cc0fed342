/** A race of processes on one dataset: two of ours, two of Go, let go at once, and what each was told. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GoDataset, GoPeer } from './go-peer.ts';
import { LineProcess } from './line-process.ts';

const worker = fileURLToPath(new URL('race-worker.js', import.meta.url));
const ourNames = ['node 1', 'node 2'];
const goNames = ['go 1', 'go 2'];

export interface RaceSide {
  /** Ids of the commits that were acknowledged. */
  readonly acked: readonly string[];
  readonly failed: readonly string[];
}

export interface RaceSpec extends GoDataset {
  readonly commits: number;
  /** How ours is opened. */
  readonly peers?: 'go';
}

export async function race(
  peer: GoPeer,
  spec: RaceSpec,
): Promise<{ readonly ours: RaceSide; readonly theirs: RaceSide }> {
  const text = (writer: string): string => JSON.stringify({ ...spec, writer });
  const racers = [
    ...ourNames.map((name) => new LineProcess(spawn(process.execPath, [worker, text(name)]))),
    ...goNames.map((name) => peer.spawn('race', text(name))),
  ];
  // Go starts fast; ours say when they are ready.
  let waiting = ourNames.length;
  const ready = (): void => {
    if (--waiting === 0) for (const racer of racers) racer.send('go');
  };
  const outcomes = await outcomesOf(racers, ready);
  const side = (from: number, to: number): RaceSide => ({
    acked: outcomes.slice(from, to).flatMap(({ acked }) => acked),
    failed: outcomes.slice(from, to).flatMap(({ failed }) => failed),
  });
  return { ours: side(0, ourNames.length), theirs: side(ourNames.length, racers.length) };
}

/** Whether a snapshot with this metadata was made by ours. */
export function isOurs(metadata: Readonly<Record<string, unknown>>): boolean {
  return ourNames.some((name) => metadata['writer'] === name);
}

async function outcomesOf(racers: readonly LineProcess[], ready: () => void): Promise<RaceSide[]> {
  try {
    return await Promise.all(racers.map((racer) => outcomeOf(racer, ready)));
  } finally {
    // When one fails, those that still wait to be let go end, too.
    await Promise.all(racers.map((racer) => racer[Symbol.asyncDispose]()));
  }
}

async function outcomeOf(racer: LineProcess, ready: () => void): Promise<RaceSide> {
  const [acked, failed]: [string[], string[]] = [[], []];
  for await (const value of racer.lines()) {
    const line = value as { acked?: string; failed?: unknown; ready?: true; done?: true };
    if (line.ready) ready();
    if (line.acked !== undefined) acked.push(line.acked);
    if (line.failed !== undefined) failed.push(JSON.stringify(line.failed));
    if (line.done) return { acked, failed };
  }
  throw new Error(`a racer ended early: ${racer.complaint}`);
}
