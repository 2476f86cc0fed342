/** Our store on the bucket that a Go process is given. */
import { s3Store } from '../../src/s3.ts';
import type { S3Store } from '../../src/s3.ts';
import type { GoBucket } from './go-peer.ts';

export function bucketStore({
  accessKey: accessKeyId,
  secretKey: secretAccessKey,
  ...place
}: GoBucket): S3Store {
  const credentials = { accessKeyId, secretAccessKey };
  return s3Store({ ...place, credentials, conditions: 'assume' });
}
