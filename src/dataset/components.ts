/** Components by the names manifests give them: the built-in ones, and those of the caller, which come first. */
import type { Checksum } from '../encoding/checksum.ts';
import type { Codec } from '../encoding/codec.ts';
import type { Compressor } from '../encoding/compressor.ts';
import { jsonl } from '../encoding/jsonl/index.ts';
import { LodeError } from '../errors.ts';
import type { DatasetManifest } from './manifest/index.ts';

export interface ComponentOptions {
  /** Besides `jsonl`. */
  readonly codecs?: readonly Codec[];
  /** Besides `noop`, `gzip` and `zstd`. */
  readonly compressors?: readonly Compressor[];
  /** Besides `md5`, `sha256`, `crc32c` and `blake3`. */
  readonly checksums?: readonly Checksum[];
}

interface Named {
  readonly name: string;
}

const builtIn = {
  codecs: [jsonl()] as Codec[],
  compressors: [] as Compressor[],
  checksums: [] as Checksum[],
};

export class Components {
  readonly #codecs: ReadonlyMap<string, Codec>;
  readonly #compressors: ReadonlyMap<string, Compressor>;
  readonly #checksums: ReadonlyMap<string, Checksum>;

  constructor({ codecs = [], compressors = [], checksums = [] }: ComponentOptions) {
    this.#codecs = byName(builtIn.codecs, codecs);
    this.#compressors = byName(builtIn.compressors, compressors);
    this.#checksums = byName(builtIn.checksums, checksums);
  }

  /** `undefined` for raw bytes. */
  codec(manifest: DatasetManifest): Codec | undefined {
    const { codec } = manifest;
    if (codec === undefined) return undefined;
    return this.#codecs.get(codec) ?? unknown(manifest, 'codec', codec);
  }

  compressor(manifest: DatasetManifest): Compressor {
    const { compressor } = manifest;
    return this.#compressors.get(compressor) ?? unknown(manifest, 'compressor', compressor);
  }

  /** `undefined` for none, and for an algorithm nobody gave us: sizes are verified then. */
  checksum(name: string | undefined): Checksum | undefined {
    return name === undefined ? undefined : this.#checksums.get(name);
  }
}

function byName<T extends Named>(ours: readonly T[], theirs: readonly T[]): ReadonlyMap<string, T> {
  return new Map([...ours, ...theirs].map((component) => [component.name, component]));
}

function unknown(manifest: DatasetManifest, field: string, actual: string): never {
  throw new LodeError('LODE_COMPONENT_MISMATCH', `no ${field} of this name is known here`, {
    dataset: manifest.datasetId,
    snapshot: manifest.snapshotId,
    field,
    actual,
    next: `Pass it to openReader() in "${field}s".`,
  });
}
