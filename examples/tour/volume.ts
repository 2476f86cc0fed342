/** The scene of volumes: a file of 13 MB goes up in pieces, out of order; another handle finds out what is left, and finishes. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { isLodeError, openVolume } from 'lode';
import type { Store } from 'lode';
import { sourceFile } from './flights.ts';
import { amount, fact, progress, progressDone, scene } from './report.ts';

const pieceBytes = 256 * 1024;

export async function fillVolume(store: Store, place: string): Promise<void> {
  scene('A volume: one writer uploads a third of a file, another finds out what is missing');
  const file = await readFile(sourceFile('flights-3m.parquet'));
  const volume = await openVolume('flights-file', { store, length: file.length });
  const pieces = [];
  for (let at = 0; at < file.length; at += pieceBytes) pieces.push(at);

  // Every third piece, from the end: order does not matter.
  const some = pieces.filter((_, i) => i % 3 === 0).reverse();
  const staged = some.map((at) => volume.stageWriteAt(at, file.subarray(at, at + pieceBytes)));
  const first = await volume.commit(await Promise.all(staged), { source: 'vega-datasets' });
  fact(`${first.id}: ${amount(first.coveredBytes)} of ${amount(volume.length)} are there`);
  const refused = await volume.readAt(first, 0, file.length).catch((error: unknown) => error);
  assert.ok(isLodeError(refused, 'LODE_RANGE_MISSING'));
  fact(`a read of all of it is told of ${refused.details.gaps.length} gaps, and gets no zeros`);

  const other = await openVolume('flights-file', { store });
  const gaps = other.missing(await other.head());
  let done = 0;
  const rest = gaps.map(async ({ offset, length }) => {
    const range = await other.stageWriteAt(offset, file.subarray(offset, offset + length));
    progress(`${++done} of ${gaps.length} gaps filled`);
    return range;
  });
  const second = await other.commit(await Promise.all(rest), { source: 'vega-datasets' });
  progressDone();
  fact(`${second.id}: the other writer filled ${gaps.length} gaps`);
  assert.ok(second.complete);

  let at = 0;
  for await (const chunk of other.stream(second)) {
    assert.equal(Buffer.compare(chunk, file.subarray(at, at + chunk.length)), 0);
    at += chunk.length;
  }
  const { problems, objects } = await other.verify({ snapshot: second.id });
  assert.deepEqual([at, problems], [file.length, []]);
  fact(`all ${amount(at)} are those of the file; ${objects} objects are as committed`);
  fact(`${place}/volumes/flights-file/data holds the blocks, each named after its range`);
}
