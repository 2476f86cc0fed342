/** A query engine on a snapshot: DuckDB reads exactly the files that the manifest lists, and lists nothing itself. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { hive, openDataset } from 'lode';
import { fsStore } from 'lode/fs';
import { parquet } from 'lode/parquet';
import { temporaryDirectory } from './temporary.ts';

await using directory = await temporaryDirectory();
const sales = await openDataset('sales', {
  store: fsStore(directory.path),
  codec: parquet({ day: 'string', item: 'string', cents: 'int64' }),
  layout: hive('day'),
});
const { manifest } = await sales.write([
  { day: '2024-05-01', item: 'tea', cents: 300 },
  { day: '2024-05-01', item: 'cake', cents: 450 },
  { day: '2024-05-02', item: 'tea', cents: 310 },
]);
// A later snapshot does not change what this manifest lists.
await sales.write([{ day: '2024-05-03', item: 'tea', cents: 999 }]);

const files = manifest.files.map((file) => `'${join(directory.path, file.path)}'`).join(', ');
const duckdb = await (await DuckDBInstance.create(':memory:')).connect();
const result = await duckdb.runAndReadAll(
  `select item, sum(cents)::integer as cents from read_parquet([${files}]) group by item order by item`,
);
const rows = result.getRowObjects();
assert.deepEqual(
  rows.map((row) => ({ ...row })),
  [
    { item: 'cake', cents: 450 },
    { item: 'tea', cents: 610 },
  ],
);
console.table(rows);
duckdb.closeSync();
