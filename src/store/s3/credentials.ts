/**
 * Where credentials come from: given, asked of a function, `AWS_*` variables, profile files, or AWS's own chain where it is
 * installed. Secrets stay in private fields and out of every error.
 */
import { environment, installedCredentialChain, userFile } from '#platform/machine.js';
import type { Env } from '../../env.ts';
import { isLodeError, LodeError } from '../../errors.ts';
import { orAborted } from '../wrappers/flight.ts';
import { parseProfiles, type Profile } from './profiles.ts';

/** What requests are signed with. `expiration` is when to ask again. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}

/** Credentials, a function that gets them (as those of AWS's own packages are), or none: for public buckets. */
export type S3CredentialSource =
  | S3Credentials
  | (() => S3Credentials | Promise<S3Credentials>)
  | 'anonymous';

/** Temporary credentials are renewed this long before they expire. */
const renewBeforeMs = 5 * 60_000;

export class CredentialKeeper {
  readonly #source: S3CredentialSource | undefined;
  readonly #profile: string | undefined;
  readonly #env: Env;
  #held: S3Credentials | undefined;
  #asking: Promise<S3Credentials> | undefined;
  #ask: (() => S3Credentials | Promise<S3Credentials>) | undefined;

  constructor(source: S3CredentialSource | undefined, profile: string | undefined, env: Env) {
    this.#source = source;
    this.#profile = profile;
    this.#env = env;
  }

  get anonymous(): boolean {
    return this.#source === 'anonymous';
  }

  /** Those held while they are good; else one question for all who wait, each at most until its signal aborts. */
  async get(signal: AbortSignal | undefined): Promise<S3Credentials> {
    const held = this.#held;
    if (held !== undefined && !this.#expiresWithin(held, renewBeforeMs)) return held;
    this.#asking ??= this.#renew().finally(() => (this.#asking = undefined));
    return orAborted(this.#asking, signal);
  }

  /** The server refused these: the next `get` asks again. */
  refuse(credentials: S3Credentials): void {
    if (this.#held === credentials) this.#held = undefined;
  }

  #expiresWithin({ expiration }: S3Credentials, ms: number): boolean {
    if (expiration === undefined) return false;
    return Number(this.#env.now() / 1_000_000n) > expiration.getTime() - ms;
  }

  async #renew(): Promise<S3Credentials> {
    try {
      this.#ask ??= await this.#find();
      const found = checked(await this.#ask());
      this.#held = found;
      return found;
    } catch (error) {
      const held = this.#held;
      // Renewed early, so that a provider may fail for a while.
      if (held !== undefined && !this.#expiresWithin(held, 0)) return held;
      if (isLodeError(error)) throw error;
      throw new LodeError(
        'LODE_UNAUTHENTICATED',
        'the credential provider failed',
        { field: 'credentials', next: 'Look at the cause, and fix the provider.' },
        { cause: error },
      );
    }
  }

  async #find(): Promise<() => S3Credentials | Promise<S3Credentials>> {
    const source = this.#source;
    if (typeof source === 'function') return source;
    if (typeof source === 'object') return () => source;
    const found = fromEnvironment(this.#profile) ?? (await fromProfile(this.#profile));
    if (found !== undefined) return () => found;
    const chain = await installedCredentialChain(this.#profile);
    if (chain !== undefined) return chain;
    throw new LodeError('LODE_UNAUTHENTICATED', 'there are no credentials', {
      field: 'credentials',
      next:
        'Pass credentials, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or install ' +
        '@aws-sdk/credential-provider-node for containers, web identity and single sign-on.',
    });
  }
}

/** A profile that is asked for by name comes before the environment. */
function fromEnvironment(profile: string | undefined): S3Credentials | undefined {
  const accessKeyId = environment('AWS_ACCESS_KEY_ID');
  const secretAccessKey = environment('AWS_SECRET_ACCESS_KEY');
  if (profile !== undefined || accessKeyId === undefined || secretAccessKey === undefined)
    return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: environment('AWS_SESSION_TOKEN') };
}

async function fromProfile(wanted: string | undefined): Promise<S3Credentials | undefined> {
  const found = await profileNamed(wanted);
  const accessKeyId = found?.['aws_access_key_id'];
  const secretAccessKey = found?.['aws_secret_access_key'];
  // Keys beside a role are for taking the role on, which AWS's own chain does.
  if (found?.['role_arn'] !== undefined) return undefined;
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: found?.['aws_session_token'] };
}

/** The settings of a profile in both shared files; those of the credentials file win. */
export async function profileNamed(wanted: string | undefined): Promise<Profile | undefined> {
  const name = wanted ?? environment('AWS_PROFILE') ?? 'default';
  const config = await userFile(environment('AWS_CONFIG_FILE') ?? '.aws/config');
  const secret = await userFile(environment('AWS_SHARED_CREDENTIALS_FILE') ?? '.aws/credentials');
  const configured = parseProfiles(config ?? '');
  const settings = configured.get(name === 'default' ? name : `profile ${name}`);
  const keys = parseProfiles(secret ?? '').get(name);
  return settings === undefined && keys === undefined ? undefined : { ...settings, ...keys };
}

/** Whatever a provider returns, brought to two texts that can be sent. */
function checked(given: S3Credentials): S3Credentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = given;
  const fields = { accessKeyId, secretAccessKey, sessionToken: sessionToken ?? 'none' };
  for (const [field, value] of Object.entries(fields)) {
    if (typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)) continue;
    throw new LodeError('LODE_UNAUTHENTICATED', 'a part of the credentials is no printable text', {
      field: `credentials.${field}`,
      next: 'Look for an empty value, or a space or line break at its end.',
    });
  }
  return { accessKeyId, secretAccessKey, sessionToken, expiration };
}
