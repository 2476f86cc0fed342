/** What a wire script plays on: a double, a store that talks to it, and a few checks. */
import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { isLodeError, type LodeErrorCode } from '../../src/index.ts';
import { s3Store, type S3Store, type S3StoreOptions } from '../../src/s3.ts';
import { s3Double, type S3Double, type S3Rule } from '../../src/testing/index.ts';

export interface Scene {
  readonly store: S3Store;
  readonly double: S3Double;
  /** Another handle on the same bucket. */
  readonly other: S3Store;
}

export interface WireScript {
  readonly name: string;
  readonly rules?: readonly S3Rule[] | undefined;
  readonly options?: Partial<S3StoreOptions>;
  readonly run: (scene: Scene) => Promise<void>;
}

export const secret = 'canary+secret/key';

/** Plays one script on a server of its own. */
export async function play(script: WireScript): Promise<void> {
  const credentials = { accessKeyId: 'AKIDSCRIPT', secretAccessKey: secret };
  const double = await s3Double({ credentials: [credentials] });
  const options: S3StoreOptions = {
    bucket: double.bucket,
    endpoint: double.endpoint,
    region: double.region,
    credentials,
    conditions: 'assume',
    backoff: { baseDelayMs: 1, maxDelayMs: 2 },
    attempts: 4,
    timeoutMs: 250,
  };
  const store = s3Store({ ...options, ...script.options });
  const other = s3Store(options);
  try {
    for (const rule of script.rules ?? []) double.script(rule);
    await script.run({ store, double, other });
  } finally {
    await store.close();
    await other.close();
    await double.close();
  }
}

/** The call must fail with this code; no secret is in the error. */
export async function failsWith(
  call: Promise<unknown>,
  code: LodeErrorCode,
  details: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(isLodeError(error, code), `expected ${code}, got ${inspect(error)}`);
    for (const [name, value] of Object.entries(details))
      assert.equal((error.details as Record<string, unknown>)[name], value, name);
    assert.ok(!`${inspect(error, { depth: 9 })}${JSON.stringify(error)}`.includes(secret));
    return true;
  });
}

export async function textAt(store: S3Store, key: string): Promise<string | undefined> {
  const object = await store.get(key);
  return object && new TextDecoder().decode(await object.bytes());
}

export const sent = (double: S3Double, operation: string): number =>
  double.requests.filter((request) => request.operation === operation).length;
