/** The keys of a volume (docs/formats/volume.md, section 1): the only place that joins or parses them. */

export interface VolumeKeys {
  /** Holds everything of the volume; ends in `/`. */
  readonly root: string;
  readonly pointer: string;
  readonly snapshotsPrefix: string;
  /** Block keys up to their numbers. */
  readonly blockPrefix: string;
  manifest(snapshot: string): string;
  /** Key of a run of blocks, in compact manifests. */
  run(id: string): string;
  isRun(key: string): boolean;
  block(offset: number, length: number): string;
  /** The range in the key of a block; `undefined` unless `block` gives this very key for it. */
  parseBlock(key: string): { readonly offset: number; readonly length: number } | undefined;
}

/** Ids of runs are random: 32 hex digits. */
export function isRunId(id: string): boolean {
  return /^[0-9a-f]{32}$/.test(id);
}

export function volumeKeys(volume: string): VolumeKeys {
  const root = `volumes/${volume}/`;
  const blockPrefix = `${root}data/`;
  const block = (offset: number, length: number): string => `${blockPrefix}${offset}-${length}.bin`;
  const run = (id: string): string => `${root}runs/${id}.run`;
  return {
    root,
    pointer: `${root}latest`,
    snapshotsPrefix: `${root}snapshots/`,
    blockPrefix,
    run,
    isRun: (key) =>
      key === run(key.slice(root.length + 5, -4)) && isRunId(key.slice(root.length + 5, -4)),
    manifest: (snapshot) => `${root}snapshots/${snapshot}/manifest.json`,
    block,
    parseBlock(key) {
      if (!key.startsWith(blockPrefix)) return undefined;
      const found = /^(\d+)-(\d+)\.bin$/.exec(key.slice(blockPrefix.length));
      if (found === null) return undefined;
      const [offset, length] = [Number(found[1]), Number(found[2])];
      return block(offset, length) === key ? { offset, length } : undefined;
    },
  };
}
