/**
 * At risk: a container, where credentials come from AWS's own chain, which is an optional peer. Run by CI beside the packed
 * package, with the peer installed: keys from a container's endpoint are used and kept, a chain that fails is a typed error.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { s3Store } from 'lode/s3';
import { s3Double } from 'lode/testing';

const keys = { accessKeyId: 'ASIACONTAINER', secretAccessKey: 'sec/ret', sessionToken: 'to/ken' };
const double = await s3Double({ credentials: [keys] });
let asked = 0;
const container = createServer((_, response) => {
  asked++;
  response.setHeader('content-type', 'application/json');
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  const Expiration = new Date(Date.now() + 3_600_000).toISOString();
  response.end(
    JSON.stringify({
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration,
    }),
  );
}).listen(0, '127.0.0.1');
await once(container, 'listening');

for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
process.env.AWS_CONFIG_FILE = process.env.AWS_SHARED_CREDENTIALS_FILE = '/no/such/file';
const open = () =>
  s3Store({ bucket: double.bucket, endpoint: double.endpoint, conditions: 'assume' });

process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI = `http://127.0.0.1:${container.address().port}/keys`;
const store = open();
for (const key of ['a', 'b']) assert.equal((await store.put(key, 'x')).outcome, 'stored');
assert.equal(asked, 1, 'credentials are kept while they are good');
await store.close();

delete process.env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
process.env.AWS_ROLE_ARN = 'arn:aws:iam::123456789012:role/nobody';
process.env.AWS_WEB_IDENTITY_TOKEN_FILE = '/no/such/token';
const stranger = open();
await assert.rejects(stranger.get('a'), { code: 'LODE_UNAUTHENTICATED' });
await stranger.close();

container.close();
await double.close();
console.log('credentials of a container, and of a web identity that is none');
