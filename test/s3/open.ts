/** Our S3 store on a double as wire scripts want it: no probe, parts of 5 MiB from the first byte above that. */
import { s3Store } from '../../src/s3.ts';
import type { OpenStore } from './run-script.ts';

export const openBare: OpenStore = ({ bucket, endpoint, region, credentials }, env) =>
  s3Store({
    bucket,
    endpoint,
    region,
    credentials,
    env,
    conditions: 'assume',
    partBytes: 5 * 1024 * 1024,
    parallelParts: 1,
  });
