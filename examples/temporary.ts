/** A directory for one run of an example, removed when it ends. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function temporaryDirectory(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'lode-example-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
