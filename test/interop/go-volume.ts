/** A volume as the Go original opens it: the calls of its `Volume`, over the pipe. */
import type { GoBucket, GoSession } from './go-peer.ts';

export interface GoVolumeSpec {
  readonly root?: string;
  /** In place of a directory. */
  readonly s3?: GoBucket;
  readonly volume: string;
  readonly length: number;
  readonly checksum?: 'none' | 'md5';
  readonly retry?: { count?: number; baseMs?: number; maxMs?: number; jitter?: number };
}

export interface GoBlock {
  readonly offset: number;
  readonly length: number;
  readonly path: string;
  readonly checksum?: string;
}

export interface GoVolumeManifest {
  readonly volume_id: string;
  readonly snapshot_id: string;
  readonly created_at: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly total_length: number;
  readonly blocks: readonly GoBlock[] | null;
  readonly parent_snapshot_id?: string;
  readonly checksum_algorithm?: string;
}

export interface GoVolumeSnapshot {
  readonly id: string;
  readonly manifest: GoVolumeManifest;
}

export class GoVolume {
  readonly #session: GoSession;
  readonly #spec: GoVolumeSpec;
  readonly #handle: string | undefined;

  /** With a handle the instance stays warm from call to call; without, each call opens it anew. */
  constructor(session: GoSession, spec: GoVolumeSpec, handle?: string) {
    this.#session = session;
    this.#spec = spec;
    this.#handle = handle;
  }

  stage(offset: number, bytes: Uint8Array): Promise<GoBlock> {
    return this.#ask('stage', { offset, data: Buffer.from(bytes).toString('base64') });
  }

  commit(blocks: readonly GoBlock[], metadata?: object): Promise<GoVolumeSnapshot> {
    return this.#ask('commit', { blocks, ...(metadata && { metadata }) });
  }

  async read(id: string, offset: number, count: number): Promise<Uint8Array> {
    const { data } = await this.#ask<{ data: string }>('read', { offset, count }, { id });
    return new Uint8Array(Buffer.from(data, 'base64'));
  }

  latest(): Promise<GoVolumeSnapshot> {
    return this.#ask('latest', {});
  }

  snapshot(id: string): Promise<GoVolumeSnapshot> {
    return this.#ask('snapshot', {}, { id });
  }

  snapshots(): Promise<readonly GoVolumeSnapshot[]> {
    return this.#ask('snapshots', {});
  }

  #ask<T>(op: string, volume: object, more: object = {}): Promise<T> {
    const handle = this.#handle;
    return this.#session.request(`volume-${op}`, {
      ...(handle === undefined ? {} : { handle }),
      ...more,
      volume: { ...this.#spec, ...volume },
    });
  }
}

/** Bytes that tell where they are, as the Go program makes them. */
export function placed(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => {
    const at = offset + i;
    return (at % 256) * 7 + Math.floor(at / 256);
  });
}
