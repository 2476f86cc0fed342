/**
 * At risk: journals that were written before. A new version of the format adds vectors; those that are there never change.
 * `LODE_ADD_VECTORS=1` writes those that are missing.
 */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inspectWal, listSnapshots, openSnapshot } from '../../../src/journal.ts';
import { dir, diskOf } from '../../journal/sample.ts';
import { folder, fromHex, readVectors, scripts, toHex } from '../../journal/vectors.ts';
import type { SnapshotFacts, Vector } from '../../journal/vectors.ts';

/** All that our reader makes of these files. */
async function read(
  files: Iterable<readonly [string, Uint8Array]>,
): Promise<Omit<Vector, 'about' | 'files'>> {
  const disk = await diskOf(files);
  const records: [number, number, string][] = [];
  const { damage } = await inspectWal(dir, {
    disk,
    recovery: 'last-good',
    visit: ({ lsn, timeMs, bytes }) => records.push([lsn, timeMs, toHex(bytes)]),
  });
  const snapshots: SnapshotFacts[] = [];
  for (const { name, lsn } of await listSnapshots(dir, { disk })) {
    await using open = await openSnapshot(`${dir}/${name}`, { disk });
    const { timeMs, createdMs, codec, version } = open.header;
    const state: Uint8Array[] = [];
    for await (const chunk of open.chunks()) state.push(chunk.slice());
    const facts = { name, lsn, timeMs, createdMs, codec, version };
    snapshots.push({ ...facts, state: toHex(Buffer.concat(state)) });
  }
  return {
    verdict: damage === undefined ? 'whole' : damage.isTorn ? 'torn' : 'damaged',
    records,
    ...(damage && { at: { segment: damage.segment, offset: damage.offset } }),
    ...(snapshots.length > 0 && { snapshots }),
  };
}

const bytesOf = ({ files }: Vector): [string, Uint8Array][] =>
  Object.entries(files).map(([name, hex]) => [name, fromHex(hex)]);

describe('the vectors of version 1', () => {
  if (process.env['LODE_ADD_VECTORS'] === '1') {
    it('get those that are missing', async () => {
      for (const [name, script] of Object.entries(scripts)) {
        const path = join(folder, `${name}.json`);
        if (existsSync(path)) continue;
        const made = await script();
        const files = Object.fromEntries([...made].map(([file, bytes]) => [file, toHex(bytes)]));
        writeFileSync(
          path,
          `${JSON.stringify({ about: '', files, ...(await read(made)) }, null, 2)}\n`,
        );
      }
    });
  }

  const vectors = readVectors();

  it('are read as they were', async () => {
    for (const [name, vector] of vectors) {
      const { about, files, ...wanted } = vector;
      assert.deepEqual(await read(bytesOf({ about, files, ...wanted })), wanted, name);
    }
  });

  it('are what is written today', async () => {
    assert.deepEqual([...vectors.keys()].sort(), Object.keys(scripts).sort());
    for (const [name, script] of Object.entries(scripts)) {
      const { files = {} } = vectors.get(name) ?? {};
      const written = [...(await script())].map(([file, bytes]) => [file, toHex(bytes)]);
      assert.deepEqual(Object.fromEntries(written), files, name);
    }
  });
});
