/** Raw bytes of any length, streamed in and out; nothing is visible before the commit, and nothing stays without it. */
import assert from 'node:assert/strict';
import { isLodeError, openDataset, zstd } from 'lode';
import { fsStore } from 'lode/fs';
import { temporaryDirectory } from './temporary.ts';

await using directory = await temporaryDirectory();
const backups = await openDataset('backups', {
  store: fsStore(directory.path),
  compressor: zstd(),
});

{
  // Leaving the block without a commit aborts: as if it had never been begun.
  await using abandoned = await backups.streamWrite({ type: 'nightly' });
  await abandoned.write('half of a backup');
}
await assert.rejects(backups.latest(), (error) => isLodeError(error, 'LODE_NO_SNAPSHOTS'));

await using writer = await backups.streamWrite({ type: 'nightly' });
for (let part = 0; part < 64; part++) await writer.write(new Uint8Array(64 * 1024).fill(part));
const { id, manifest } = await writer.commit();

let size = 0;
for await (const chunk of backups.stream(id)) size += chunk.length;
assert.equal(size, 64 * 64 * 1024);
console.log(
  `${size} bytes stored in ${manifest.files[0]?.sizeBytes}, checksum ${manifest.files[0]?.checksum}`,
);
