/** Whole volumes, each byte of which matters, as `bit-rot.ts` has datasets. */
import { blake3, crc32c, md5, sha256 } from '../../src/encoding/index.ts';
import { memoryStore } from '../../src/store/index.ts';
import type { Store } from '../../src/store/index.ts';
import { seededRandom, virtualEnv } from '../../src/testing/index.ts';
import { openVolume } from '../../src/volume/index.ts';
import type { Volume } from '../../src/volume/index.ts';
import { pick } from './bit-rot.ts';
import type { Clean } from './bit-rot.ts';

const length = 20_000;

/** A volume of a few snapshots, in either form of manifest, with runs where they are compact. */
export async function cleanVolume(seed: number, given?: Store): Promise<Clean> {
  const random = seededRandom(seed);
  const env = virtualEnv({ seed });
  const store = given ?? memoryStore({ env });
  const manifests = pick(random, ['compatible', 'compact'] as const);
  const checksum = pick(random, [md5(), sha256(), crc32c(), blake3()]);
  const blockBytes = 10 + Math.floor(random() * 90);
  const open = (): Promise<Volume> =>
    openVolume('vol', { store, env, length, manifests, checksum, blockBytes });
  const volume = await open();
  const ids: string[] = [];
  let offset = 0;
  for (let n = 0; n < 1 + random() * 4; n++) {
    const hole = Math.floor(random() * 20);
    const bytes = new Uint8Array(1 + Math.floor(random() * 2_500)).fill(1 + n);
    const staged = await volume.stageWriteAt(offset + hole, bytes);
    ids.push((await volume.commit([staged], { n })).id);
    offset += hole + bytes.length;
  }
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return { store, keys, ids, open };
}
