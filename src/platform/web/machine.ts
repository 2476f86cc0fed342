/** What a machine knows about its user: in a browser, nothing. */

export function environment(_name: string): string | undefined {
  return undefined;
}

/** How messages call this process: nothing tells it from others. */
export function whoAmI(): string {
  return 'this page or worker';
}

/** A text file of the user; there are none. */
export async function userFile(_path: string): Promise<string | undefined> {
  return undefined;
}

type Provide = () => Promise<{
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}>;

/** AWS's own credential chain; there is none. */
export async function installedCredentialChain(
  _profile: string | undefined,
): Promise<Provide | undefined> {
  return undefined;
}
