/**
 * Icechunk in its WebAssembly build, to be measured against: commits of one chunk into its own store in memory. Installed by
 * `.ci/run` outside the repository; `LODE_ICECHUNK` is the folder that has it in its `node_modules`.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Makes a repository of its own, and so many commits to it. */
export type Commits = (count: number) => Promise<void>;

/** Undefined where it is not installed: fine on a user's machine, and an error in CI. */
export function icechunkCommits(chunk: Uint8Array): Commits | undefined {
  const home = process.env['LODE_ICECHUNK'];
  if (home === undefined) {
    if (process.env['LODE_REQUIRE_PEERS'] !== '1') return undefined;
    throw new Error('LODE_ICECHUNK is not set, and peers are required');
  }
  process.env['NAPI_RS_FORCE_WASI'] = '1';
  const load = createRequire(join(home, 'x.js'));
  const { Repository, Storage } = load('@earthmover/icechunk') as Icechunk;
  const bytes = Buffer.from(chunk);
  return async (count) => {
    const repository = await Repository.create(await Storage.newInMemory());
    const first = await repository.writableSession('main');
    await first.store.set('zarr.json', json(group));
    await first.store.set('log/zarr.json', json(arrayOf(count)));
    await first.commit('an array');
    for (let i = 0; i < count; i++) {
      const session = await repository.writableSession('main');
      await session.store.set(`log/c/${i}`, bytes);
      await session.commit('one more');
    }
  };
}

interface Icechunk {
  readonly Storage: { newInMemory(): Promise<object> };
  readonly Repository: { create(storage: object): Promise<Repository> };
}

interface Repository {
  writableSession(branch: string): Promise<{
    readonly store: { set(key: string, value: Buffer): Promise<void> };
    commit(message: string): Promise<string>;
  }>;
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));

const group = { zarr_format: 3, node_type: 'group', attributes: {} };

function arrayOf(chunks: number): object {
  return {
    zarr_format: 3,
    node_type: 'array',
    shape: [chunks],
    data_type: 'uint8',
    chunk_grid: { name: 'regular', configuration: { chunk_shape: [1] } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value: 0,
    codecs: [{ name: 'bytes' }],
    attributes: {},
  };
}
