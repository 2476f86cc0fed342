/**
 * `lode/s3`: objects in a bucket of AWS S3, MinIO, R2 or any server that speaks S3 and honours conditional writes. Works in
 * browsers too, where credentials have to be given.
 */
export { s3Store } from './store/s3/store.ts';
export type { S3Store } from './store/s3/store.ts';
export type { S3StoreOptions } from './store/s3/options.ts';
export type { S3Credentials, S3CredentialSource } from './store/s3/credentials.ts';
export type { AbandonedUpload, SweepOptions } from './store/s3/sweep.ts';
export type { Transport, TransportRequest, TransportResponse } from './store/s3/transport.ts';
