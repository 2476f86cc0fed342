/**
 * Builds the Go programs we are compared with. A binary lives in the user's cache directory under a hash of its sources, so
 * it is built once. Where Go or the modules cannot be had, the answer says so and tests skip; with LODE_REQUIRE_PEERS=1 that
 * is a failure.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const buildLimit = { timeout: 240_000, maxBuffer: 1 << 24 };

export interface Missing {
  readonly missing: string;
}

/** The peer as it is, unless it is missing where none may be. */
export function required<T extends object>(peer: T | Missing): T | Missing {
  if ('missing' in peer && process.env['LODE_REQUIRE_PEERS'] === '1')
    throw new Error(`LODE_REQUIRE_PEERS=1, but ${peer.missing}`);
  return peer;
}

/** Builds the program in `test/interop/FOLDER`. */
export async function buildGo(
  folder: string,
  name: string,
): Promise<{ readonly binary: string } | Missing> {
  const sources = fileURLToPath(new URL(`../../../test/interop/${folder}`, import.meta.url));
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const file of (await readdir(sources)).sort())
    hash.update(file).update(await readFile(join(sources, file)));
  const cache = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lode-interop');
  const binary = join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (await exists(binary)) return { binary };

  const go = await findGo();
  if (go === undefined) return { missing: 'there is no go command (PATH, /usr/local/go/bin)' };
  const at = { ...buildLimit, cwd: sources };
  try {
    await run(go, ['mod', 'download'], at);
  } catch (error) {
    return { missing: `the Go modules cannot be had: ${String(error).trim()}` };
  }
  await mkdir(cache, { recursive: true });
  const room = await mkdtemp(join(cache, 'build-'));
  try {
    // Built beside and renamed, so that two test processes building at once both end with a whole binary.
    await run(go, ['build', '-trimpath', '-o', join(room, name), '.'], at);
    await rename(join(room, name), binary);
  } finally {
    await rm(room, { recursive: true, force: true });
  }
  return { binary };
}

async function findGo(): Promise<string | undefined> {
  for (const go of ['go', '/usr/local/go/bin/go']) {
    const found = await run(go, ['version']).then(
      () => true,
      () => false,
    );
    if (found) return go;
  }
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
