/** The shortest way from the Store seam to the wire: one request a call, no retries, no lists. For probing servers only. */
import { byteSource, readSource } from '../../src/bytes/index.ts';
import { systemEnv, type Env } from '../../src/env.ts';
import { LodeError, memoryStore, type Store } from '../../src/index.ts';
import type { S3Double } from '../../src/testing/index.ts';
import { send, type Received } from './wire.ts';

export function plainStore(double: S3Double, env: Env = systemEnv): Store {
  const ask = async (
    method: string,
    key: string,
    body: string | Uint8Array = '',
    headers?: Record<string, string>,
  ): Promise<Received> => {
    const path = `/${double.bucket}/${encodeURIComponent(key)}`;
    const sign = { atMs: Number(env.now() / 1_000_000n) };
    const answer = await send(double, { method, path, body, headers: headers ?? {}, sign });
    if (answer.status === 501) throw new LodeError('LODE_UNSUPPORTED', 'refused', { key });
    if (answer.status === 400) throw new LodeError('LODE_INVALID_ARGUMENT', 'refused', { key });
    if (answer.status === 403) throw new LodeError('LODE_PERMISSION_DENIED', 'refused', { key });
    if (answer.failure) throw new LodeError('LODE_UNAVAILABLE', answer.failure, { key });
    return answer;
  };
  const info = ({ headers }: Received, key: string) => ({
    key,
    size: Number(headers['content-length']),
    etag: headers.etag ?? '',
    lastModifiedMs: 0,
  });
  const memory = memoryStore();
  return {
    capabilities: { ...memory.capabilities, name: 'plain', guardedPut: false },
    async put(key, body, { mode = 'create' } = {}) {
      const condition: Record<string, string> =
        mode === 'create'
          ? { 'if-none-match': '*' }
          : mode === 'overwrite'
            ? {}
            : { 'if-match': mode.ifMatch };
      const bytes = await readSource(byteSource(body), undefined);
      const { status, headers } = await ask('PUT', key, bytes, condition);
      return status === 200
        ? { outcome: 'stored', etag: headers.etag ?? '' }
        : { outcome: 'conflict' };
    },
    async get(key) {
      const answer = await ask('GET', key);
      if (answer.status === 404) return undefined;
      const bytes = new Uint8Array(answer.bytes);
      return {
        ...info(answer, key),
        range: { offset: 0, length: bytes.length },
        async *stream() {
          yield bytes;
        },
        bytes: async () => bytes,
        cancel: async () => {},
      };
    },
    async head(key) {
      const answer = await ask('HEAD', key);
      return answer.status === 404 ? undefined : info(answer, key);
    },
    list: memory.list.bind(memory),
    async delete(keys) {
      const all = [keys].flat();
      for (const key of all) await ask('DELETE', key);
      return all.map((key) => ({ key, outcome: 'deleted' }));
    },
  };
}
