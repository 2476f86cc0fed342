/** An S3 server for tests: honest by default, scripted to fail on the wire. */
export { s3Double } from './double.ts';
export type { S3Double, S3DoubleOptions } from './double.ts';
export type { S3Object, S3Upload } from './bucket.ts';
export type { S3LogEntry } from './log.ts';
export type { S3Answer, S3Operation, S3Request } from './protocol.ts';
export type { S3Act, S3Reply, S3Rule } from './script.ts';
export type { S3Credentials } from './signature.ts';
export { misbehavingServers } from './personalities.ts';
export type { MisbehavingServer } from './personalities.ts';
