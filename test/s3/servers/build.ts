/**
 * Builds a server from its Go module, once: the binary lives in the user's cache directory under its version. Where Go or
 * the module cannot be had the answer says so.
 */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { Program } from './programs.ts';

const run = promisify(execFile);
/** A cold build on two cores takes minutes. */
const limit = { timeout: 900_000, maxBuffer: 1 << 24 };

/** The path of the binary, or why there is none. */
export async function build(
  program: Program,
): Promise<{ readonly binary: string } | { readonly missing: string }> {
  const { module, version } = program;
  const name = basename(module);
  const cache = serversCache();
  const binary = join(cache, `${name}-${version}-${process.platform}-${process.arch}`);
  if (await exists(binary)) return { binary };

  await mkdir(cache, { recursive: true });
  const room = await mkdtemp(join(cache, 'build-'));
  try {
    // Built beside and renamed, so that two processes building at once both end with a whole binary.
    const what = `${module}${program.package}@${version}`;
    // Politely: whatever else runs meanwhile goes first.
    await run('nice', ['-n', '10', await go(), 'install', '-trimpath', '-ldflags=-s -w', what], {
      ...limit,
      env: { ...process.env, GOBIN: room },
    });
    await rename(join(room, name), binary);
  } catch (error) {
    return { missing: `${program.name} cannot be built: ${String(error).trim()}` };
  } finally {
    await rm(room, { recursive: true, force: true });
  }
  return { binary };
}

export function serversCache(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lode-servers');
}

async function go(): Promise<string> {
  const installed = '/usr/local/go/bin/go';
  return (await exists(installed)) ? installed : 'go';
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
