/** Runs one wire script against a store: opens the server, lets it misbehave, asks, and compares what came of it. */
import assert from 'node:assert/strict';
import { isLodeError, type Store } from '../../src/index.ts';
import { s3Double, virtualEnv, type S3Double, type VirtualEnv } from '../../src/testing/index.ts';
import type { WireCall, WireOutcome, WireScript } from './scripts/script.ts';

/**
 * Opens the store under test on the double: with `double.credentials`, without a probe (scripts count requests), uploads of
 * 5 MiB a part from the first byte above that.
 */
export type OpenStore = (double: S3Double, env: VirtualEnv) => Store | Promise<Store>;

export async function runWireScript(script: WireScript, open: OpenStore): Promise<void> {
  const env = virtualEnv();
  await using double = await s3Double({ ...script.double, env });
  await using elsewhere = await s3Double({ credentials: 'anyone', env });
  for (const [key, body] of Object.entries(script.objects ?? {})) double.put(key, body);
  const etags = new Map([...double.objects].map(([key, { etag }]) => [key, etag]));
  double.stepClock(script.clockMs ?? 0);
  const store = await open(double, env);
  const rules =
    typeof script.rules === 'function' ? script.rules(elsewhere.endpoint) : script.rules;
  const active = rules.map((rule) => double.script(rule));

  let outcome = '';
  let error: unknown;
  for (const call of script.calls) {
    error = undefined;
    outcome = await outcomeOf(store, call, etags).catch((reason: unknown) => {
      error = reason;
      assert.ok(isLodeError(reason), `untyped: ${String(reason)}`);
      return `error ${reason.code}`;
    });
  }
  const asked = double.requests.length;
  assert.ok(
    script.outcomes.some((allowed) => fits(outcome, allowed)),
    `${outcome} is none of: ${script.outcomes.join(' | ')}\n${error instanceof Error ? error.message : ''}`,
  );
  const idle = active.filter(({ fired }) => fired === 0).length;
  assert.equal(idle, 0, 'rules of the script that never came into play');
  noSecrets(double, error);
  for (const { headers } of elsewhere.requests)
    for (const name of ['authorization', 'x-amz-security-token'])
      assert.ok(!headers.has(name), `${name} was sent to another host`);
  if (script.requestsMax !== undefined)
    assert.ok(asked <= script.requestsMax, `${asked} requests, at most ${script.requestsMax}`);
  for (const [key, content] of Object.entries(script.after ?? {}))
    assert.equal(double.text(key), content, `content of ${key}`);
  assert.equal(double.uploads.size, script.uploads ?? 0, 'uploads left behind');

  if (script.resolves === undefined || !isLodeError(error, 'LODE_WRITE_UNCERTAIN')) return;
  double.landLate();
  double.clear();
  assert.equal(await error.details.resolve(), script.resolves, 'resolve()');
}

/** `failed b:*` fits any code; `error` fits any error. */
function fits(outcome: WireOutcome, allowed: WireOutcome): boolean {
  if (allowed === 'error') return outcome.startsWith('error ');
  return (
    outcome.replaceAll(/(?<=failed \S+:)\w+/g, (code) =>
      allowed.includes(`:${code}`) ? code : '*',
    ) === allowed
  );
}

function noSecrets({ credentials }: S3Double, error: unknown): void {
  if (!(error instanceof Error)) return;
  const told = `${String(error)} ${JSON.stringify(error)} ${String(error.stack)}`;
  for (const secret of [credentials.secretAccessKey, credentials.sessionToken])
    assert.ok(secret === undefined || !told.includes(secret), 'a secret in an error');
}

async function outcomeOf(
  store: Store,
  call: WireCall,
  etags: ReadonlyMap<string, string>,
): Promise<WireOutcome> {
  const current = (key: string): string => etags.get(key) ?? '"none"';
  if ('put' in call) {
    const body = typeof call.body === 'string' ? call.body : filled(call.body.bytes);
    const modes = {
      create: 'create',
      overwrite: 'overwrite',
      'ifMatch current': { ifMatch: current(call.put) },
      'ifMatch stale': { ifMatch: '"stale"' },
    } as const;
    const result = await store.put(call.put, body, { mode: modes[call.mode ?? 'create'] });
    return result.outcome;
  }
  if ('get' in call) return getOutcome(store, call, current(call.get));
  if ('leave' in call) {
    const object = await store.get(call.leave);
    for await (const _ of object?.stream() ?? []) break;
    await object?.cancel();
    return 'left';
  }
  if ('head' in call) {
    const info = await store.head(call.head);
    return info === undefined ? 'missing' : `size ${info.size}`;
  }
  if ('list' in call) {
    const { delimiter, startAfter } = call;
    const names: string[] = [];
    for await (const entry of store.list(call.list, {
      ...(delimiter && { delimiter }),
      ...(startAfter !== undefined && { startAfter }),
    }))
      names.push('key' in entry ? entry.key : entry.prefix);
    return `keys ${names.join(' ')}`;
  }
  const results = await store.delete(call.delete);
  const done = results.filter(({ outcome }) => outcome === 'deleted').map(({ key }) => key);
  const failed = results.flatMap((result) =>
    result.outcome === 'failed'
      ? `failed ${result.key}:${isLodeError(result.error) ? result.error.code : 'untyped'}`
      : [],
  );
  return [...(done.length > 0 ? [`deleted ${done.join(' ')}`] : []), ...failed].join(' ');
}

async function getOutcome(
  store: Store,
  call: Extract<WireCall, { readonly get: string }>,
  etag: string,
): Promise<WireOutcome> {
  const conditions = {
    'match current': { ifMatch: etag },
    'match stale': { ifMatch: '"stale"' },
    'none match current': { ifNoneMatch: etag },
  };
  const object = await store.get(call.get, {
    ...(call.range && { range: call.range }),
    ...(call.if && conditions[call.if]),
  });
  if (object === undefined) return 'missing';
  if (object.notModified) return 'not modified';
  return `content ${new TextDecoder().decode(await object.bytes())}`;
}

function filled(bytes: number): Uint8Array {
  return new Uint8Array(bytes).fill(0x78);
}
