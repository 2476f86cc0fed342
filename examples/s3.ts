/**
 * A dataset in a bucket. With a URL it is yours: `node dist/examples/s3.js 's3://bucket/prefix?endpoint=http://127.0.0.1:9000'`
 * and keys in `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` (`docker compose up` starts one). Without, it is one in this process.
 */
import assert from 'node:assert/strict';
import { jsonl, openDataset } from 'lode';
import { s3Store } from 'lode/s3';
import { s3Double } from 'lode/testing';

const [url] = process.argv.slice(2);
await using double = await s3Double();
const { bucket, endpoint, credentials } = double;
// Sends nothing yet. The first write proves that the server honours conditions, which is what makes commits safe.
await using store = url === undefined ? s3Store({ bucket, endpoint, credentials }) : s3Store(url);

const dataset = await openDataset('visits', { store, codec: jsonl<{ page: string }>() });
const { id, cost } = await dataset.write([{ page: '/' }, { page: '/about' }]);
console.log(`${id}: ${cost.requests} requests, ${cost.bytesUp} bytes sent`);

assert.deepEqual(await dataset.read(id), [{ page: '/' }, { page: '/about' }]);
for await (const { key, size } of store.list('datasets/visits/')) console.log(`${size}\t${key}`);

// What a killed process may leave of large uploads costs money and is in no listing.
for await (const upload of store.abortAbandonedUploads()) console.log(`aborted ${upload.key}`);
