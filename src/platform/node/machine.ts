/** What a machine knows about its user: variables of the environment, files of the home directory, an optional package. */

export function environment(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** How messages call this process. */
export function whoAmI(): string {
  return `process ${process.pid} on ${process.getBuiltinModule('node:os').hostname()}`;
}

/** A text file by its name; a relative one is below the home directory. `undefined` when it is not there. */
export async function userFile(name: string): Promise<string | undefined> {
  const { readFile } = process.getBuiltinModule('node:fs/promises');
  const path = process.getBuiltinModule('node:path');
  const { homedir } = process.getBuiltinModule('node:os');
  try {
    return await readFile(path.resolve(homedir(), name), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

type Provide = () => Promise<{
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}>;

/** Containers, web identity, single sign-on and the rest: AWS's own chain, where somebody installed it. */
export async function installedCredentialChain(
  profile: string | undefined,
): Promise<Provide | undefined> {
  const name = '@aws-sdk/credential-provider-node';
  let chain: { readonly defaultProvider: (options: object) => Provide };
  try {
    chain = (await import(name)) as typeof chain;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')
      return undefined;
    throw error;
  }
  return chain.defaultProvider(profile === undefined ? {} : { profile });
}
