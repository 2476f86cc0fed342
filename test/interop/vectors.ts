/** The golden vectors of the Go original: their shape, and the way from a file of vectors to a directory. */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GoDataset, GoManifest } from './go-peer.ts';
import type { GoVolumeManifest } from './go-volume.ts';

const folderOf = (paradigm: string): string =>
  fileURLToPath(new URL(`../../../test/vectors/${paradigm}/go-v0.9.0`, import.meta.url));
const folder = folderOf('dataset');

export interface GoVector {
  readonly case: string;
  readonly about: string;
  readonly dataset: GoDataset;
  readonly snapshots: readonly GoVectorSnapshot[];
  readonly latest: GoOutcome<string>;
  readonly reader: {
    readonly datasets: GoOutcome<readonly string[]>;
    readonly manifests: GoOutcome<readonly { readonly id: string; readonly partition: string }[]>;
    readonly partitions: GoOutcome<readonly string[]>;
  };
  readonly objects: Readonly<Record<string, { readonly text?: string; readonly base64?: string }>>;
}

export interface GoVectorSnapshot {
  readonly id: string;
  readonly mode: 'write' | 'stream' | 'stream-records';
  readonly stamped?: boolean;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly written: GoContents;
  readonly manifest: GoManifest;
  readonly read?: GoContents;
  readonly error?: { readonly name: string; readonly message: string };
}

/** Records in full, or count and ends of many, or length and digest of a long blob. Values are tagged, see the README. */
export interface GoContents {
  readonly count: number;
  readonly records?: readonly unknown[];
  readonly first?: unknown;
  readonly last?: unknown;
  readonly length?: number;
  readonly sha256?: string;
}

export interface GoOutcome<T> {
  readonly ok?: T;
  readonly error?: { readonly name: string; readonly message: string };
}

export interface GoVolumeVector extends Pick<GoVector, 'case' | 'about' | 'latest' | 'objects'> {
  readonly volume: string;
  readonly length: number;
  readonly snapshots: readonly {
    readonly id: string;
    readonly manifest: GoVolumeManifest;
    readonly reads: readonly {
      readonly offset: number;
      readonly length: number;
      /** Base64. */
      readonly data?: string;
      readonly error?: { readonly name: string; readonly message: string };
    }[];
  }[];
}

/** Every case that holds a whole directory. */
export async function goVectors(): Promise<GoVector[]> {
  return (await casesIn(folder)) as GoVector[];
}

export async function goVolumeVectors(): Promise<GoVolumeVector[]> {
  return (await casesIn(folderOf('volume'))) as GoVolumeVector[];
}

async function casesIn(at: string): Promise<unknown[]> {
  const names = (await readdir(at)).filter((name) => name.endsWith('.json')).sort();
  const files = await Promise.all(names.map((name) => readVectorFile(name, at)));
  return files.filter((file) => typeof file === 'object' && file !== null && 'objects' in file);
}

/** One file of the vectors folder, parsed. */
export async function readVectorFile(name: string, at: string = folder): Promise<unknown> {
  return JSON.parse(await readFile(join(at, name), 'utf8'));
}

/** The objects of a case, as bytes by key. */
export function objectsOf(vector: Pick<GoVector, 'objects'>): Map<string, Uint8Array> {
  return new Map(
    Object.entries(vector.objects).map(([key, { text, base64 }]) => [
      key,
      new Uint8Array(Buffer.from(base64 ?? text ?? '', base64 === undefined ? 'utf8' : 'base64')),
    ]),
  );
}

/** Puts the objects of a case under a directory, as Go had left them. */
export async function materialize(vector: GoVector, root: string): Promise<void> {
  for (const [key, bytes] of objectsOf(vector)) {
    const path = join(root, key);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
}
