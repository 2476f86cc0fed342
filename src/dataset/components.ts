/** Components by the names manifests give them: the built-in ones, and those of the caller, which come first. */
import type { Checksum } from '../encoding/checksum.ts';
import { blake3, crc32c, md5, sha256 } from '../encoding/checksums/index.ts';
import type { Codec } from '../encoding/codec.ts';
import type { Compressor } from '../encoding/compressor.ts';
import { gzip, none, zstd } from '../encoding/compressors/index.ts';
import { jsonl } from '../encoding/jsonl/index.ts';
import { LodeError } from '../errors.ts';
import type { DatasetManifest } from './manifest/index.ts';

export interface ComponentOptions {
  /** Besides `jsonl`. */
  readonly codecs?: readonly Codec[];
  /** Besides `none`, `gzip` and `zstd`. */
  readonly compressors?: readonly Compressor[];
  /** Besides `md5`, `sha256`, `crc32c` and `blake3`. */
  readonly checksums?: readonly Checksum[];
}

interface Named {
  readonly name: string;
}

export class Components {
  readonly #codecs: ReadonlyMap<string, Codec>;
  readonly #compressors: ReadonlyMap<string, Compressor>;
  readonly #checksums: ReadonlyMap<string, Checksum>;

  constructor({ codecs = [], compressors = [], checksums = [] }: ComponentOptions) {
    this.#codecs = byName<Codec>([jsonl(), ...codecs]);
    this.#compressors = byName<Compressor>([none(), gzip(), zstd(), ...compressors]);
    this.#checksums = byName<Checksum>([md5(), sha256(), crc32c(), blake3(), ...checksums]);
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

  checksum(name: string): Checksum {
    const checksum = this.#checksums.get(name);
    if (checksum !== undefined) return checksum;
    throw new LodeError('LODE_UNSUPPORTED', 'no checksum of this name is known here', {
      field: 'checksum',
      actual: name,
      next: 'Pass it to openReader() in "checksums", or read with verify: false.',
    });
  }
}

/** The last of a name counts. */
function byName<T extends Named>(components: readonly T[]): ReadonlyMap<string, T> {
  return new Map(components.map((component) => [component.name, component]));
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
