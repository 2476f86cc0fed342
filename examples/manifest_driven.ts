/** The reader: find out what a store holds, and read it, knowing nothing but the layout. */
import assert from 'node:assert/strict';
import { hive, jsonl, memoryStore, openDataset, openReader } from 'lode';

const store = memoryStore();
const orders = await openDataset<{ day: string; total: number }>('orders', {
  store,
  codec: jsonl(),
  layout: hive('day'),
});
await orders.write([{ day: '2024-03-01', total: 12 }], { batch: 1 });
await orders.write([{ day: '2024-03-02', total: 30 }], { batch: 2 });

// A process that knows no codec and no dataset: the manifests tell.
const reader = await openReader({ store, layout: hive('day') });
for await (const dataset of reader.datasets()) {
  for await (const partition of reader.partitions(dataset)) console.log(dataset, partition);
  for await (const { manifest } of reader.manifests(dataset, { partition: 'day=2024-03-02' })) {
    assert.ok(manifest);
    for (const file of manifest.files) {
      const head = await reader.readerAt(file).read(0, 16);
      console.log(file.path, file.checksum, JSON.stringify(new TextDecoder().decode(head)), '…');
    }
    const records = [];
    for await (const record of reader.records(manifest)) records.push(record);
    assert.deepEqual(records, [{ day: '2024-03-02', total: 30 }]);
  }
}
