import { isDate } from '../base/values.js';
import { readFile, stat } from 'node:fs/promises';
import type { CredentialProvider, Credentials } from '../base/credentials.js';
import { KvsError } from '../base/errors.js';
import type { HttpAgents } from '../transport/index.js';

/** Bytes that credentials may have in all (guide: limits of the producer). */
const MAX_AUTH_LENGTH = 10_000;

/**
 * The same credentials each time. Throws `KvsError` at once when they are malformed:
 * STATUS_INVALID_AUTH_LEN or STATUS_INVALID_ARG.
 */
export function staticCredentials(credentials: Credentials): CredentialProvider {
  const checked = checkCredentials(credentials, 'credentials');
  return () => Promise.resolve(checked);
}

/** Credentials are asked for again after so long, where nobody says when they end, ms. */
const SHARED_MS = 5000;

/**
 * The same provider, asked once where many streams ask at about the same time: what it gave is shared
 * for a moment, and who asks while it is being asked waits for the same answer. @internal
 */
export function sharedCredentials(provider: CredentialProvider): CredentialProvider {
  let held: { readonly credentials: Credentials; readonly at: number } | undefined;
  const asking = new Map<boolean, Promise<Credentials>>();
  return (options) => {
    const fresh = options?.forceRefresh === true;
    const young = held !== undefined && performance.now() - held.at < SHARED_MS;
    if (held !== undefined && young && !fresh) return Promise.resolve(held.credentials);
    const waiting = asking.get(fresh);
    if (waiting !== undefined) return waiting;
    const ask = async (): Promise<Credentials> => {
      try {
        const credentials = await provider(options);
        held = { credentials, at: performance.now() };
        return credentials;
      } finally {
        asking.delete(fresh);
      }
    };
    const asked = ask();
    asking.set(fresh, asked);
    return asked;
  };
}

/** How the addresses of container and instance roles are asked. */
interface RemoteOptions {
  /** Of one try, ms. */
  readonly timeout?: number;
  readonly maxRetries?: number;
}

/**
 * The AWS SDK's default chain: environment, SSO, shared files, web identity, container and
 * instance roles. Loaded when first asked. Shared files are read again when what they gave ends or
 * the service refuses it. `agents` carry its calls to STS and SSO, by way of a proxy, say.
 */
export function defaultCredentials(
  agents?: HttpAgents,
  remote: RemoteOptions = {},
): CredentialProvider {
  let chain: Promise<CredentialProvider> | undefined;
  return async (given) => {
    chain ??= import('@aws-sdk/credential-provider-node').then((sdk) =>
      // The SDK would read shared files once in the life of the process.
      sdk.defaultProvider({
        ...remote,
        ignoreCache: true,
        ...(agents === undefined ? {} : { clientConfig: { requestHandler: { ...agents } } }),
      }),
    );
    return (await chain)(given);
  };
}

/** For a service on this machine that was given none. */
const PLACEHOLDER: Readonly<Credentials> = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'placeholder',
};

/**
 * For a service on this machine: what the AWS SDK's chain finds, asked briefly, and where it finds
 * nothing, keys that stand for some; `tell` is told so, once. A service that has no keys of its own
 * takes any. @internal
 */
export function loopbackCredentials(tell: (message: string) => void): CredentialProvider {
  const chain = defaultCredentials(undefined, { timeout: 500, maxRetries: 0 });
  let placeholder: Credentials | undefined;
  return async (options) => {
    if (placeholder !== undefined && options?.forceRefresh !== true) return placeholder;
    try {
      return await chain(options);
    } catch {
      if (placeholder === undefined) {
        tell(
          'no AWS credentials are found; placeholder keys are used, as the service is on this machine',
        );
      }
      placeholder = PLACEHOLDER;
      return placeholder;
    }
  };
}

/** Times of files are this coarse, at most: a younger one may change again and keep its time. */
const COARSE_MS = 2000;

/**
 * Credentials from a JSON file, read again whenever the file has changed, and when the service has
 * refused them. Takes the names of the AWS SDK (`accessKeyId`, …), of `credential_process`
 * (`AccessKeyId`, …), and those of AWS IoT's credentials endpoint below `credentials`. The provider
 * rejects with `KvsError` while the file is missing or malformed; the producer asks again later.
 */
export function fileCredentials(path: string): CredentialProvider {
  const where = `the credential file ${path}`;
  let held: { readonly stamp: string; readonly credentials: Credentials } | undefined;
  return async (options) => {
    const { stamp, ageMs } = await stampOf(path);
    if (held !== undefined && held.stamp === stamp && options?.forceRefresh !== true) {
      return held.credentials;
    }
    const credentials = parseCredentials(await readFile(path, 'utf8'), where);
    held = ageMs < COARSE_MS ? undefined : { stamp, credentials };
    return credentials;
  };
}

/** What changes with the file, and how long ago it last did, ms. */
async function stampOf(path: string): Promise<{ readonly stamp: string; readonly ageMs: number }> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(path);
    const ageMs = Math.abs(Date.now() - Math.max(mtimeMs, ctimeMs));
    return { stamp: `${ino}:${size}:${mtimeMs}:${ctimeMs}`, ageMs };
  } catch (cause) {
    throw new KvsError({
      status: 'STATUS_OPEN_FILE_FAILED',
      message: `the credential file ${path} cannot be read; it is looked for again later`,
      retryable: true,
      cause,
    });
  }
}

/** Credentials as JSON, in any of the three shapes. Throws `KvsError` that names `where`. @internal */
export function parseCredentials(text: string, where: string): Credentials {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new KvsError({
      status: 'STATUS_FORMAT_ERROR',
      message: `${where} does not hold JSON; it is asked again later`,
      retryable: true,
      cause,
    });
  }
  const fields = field(parsed, 'credentials') ?? parsed;
  const expiration = first(fields, 'expiration', 'Expiration');
  const sessionToken = first(fields, 'sessionToken', 'SessionToken', 'Token');
  return checkCredentials(
    {
      accessKeyId: first(fields, 'accessKeyId', 'AccessKeyId'),
      secretAccessKey: first(fields, 'secretAccessKey', 'SecretAccessKey', 'SecretKey'),
      ...(sessionToken === undefined ? {} : { sessionToken }),
      ...(typeof expiration === 'string' ? { expiration: new Date(expiration) } : {}),
    },
    where,
  );
}

function first(fields: unknown, ...names: readonly string[]): unknown {
  for (const name of names) {
    const value = field(fields, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const found: unknown = Reflect.get(value, name);
  return found;
}

/**
 * Narrows anything to `Credentials`, whatever an untyped caller or a file has given. Throws
 * `KvsError` that names `where` and the field, never its value.
 */
export function checkCredentials(value: unknown, where: string): Credentials {
  const accessKeyId = requiredText(value, 'accessKeyId', where);
  const secretAccessKey = requiredText(value, 'secretAccessKey', where);
  const token = field(value, 'sessionToken');
  const sessionToken = token === undefined ? undefined : requiredText(value, 'sessionToken', where);
  const expiration = field(value, 'expiration');
  if (accessKeyId.length + secretAccessKey.length + (sessionToken?.length ?? 0) > MAX_AUTH_LENGTH) {
    throw new KvsError({
      status: 'STATUS_INVALID_AUTH_LEN',
      message: `${where}: longer than ${MAX_AUTH_LENGTH} characters together`,
    });
  }
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(expiration === undefined ? {} : { expiration: requiredDate(expiration, where) }),
  };
}

function requiredText(value: unknown, name: string, where: string): string {
  const text = field(value, name);
  if (typeof text !== 'string' || text === '') {
    throw new KvsError({
      status: 'STATUS_INVALID_AUTH_LEN',
      message: `${where}: ${name} is ${text === '' ? 'empty' : 'missing'}; give it as text`,
    });
  }
  const bad = /[^\x21-\x7e]/.exec(text);
  if (bad !== null) {
    throw new KvsError({
      status: 'STATUS_INVALID_ARG',
      message:
        `${where}: ${name} has a blank, a line end or another character that no key has, ` +
        `at position ${bad.index} of ${text.length}; copy it again`,
    });
  }
  return text;
}

function requiredDate(value: unknown, where: string): Date {
  if (isDate(value)) return new Date(value);
  throw new KvsError({
    status: 'STATUS_INVALID_TOKEN_EXPIRATION',
    message: `${where}: expiration is not a date; give a Date, or ISO 8601 text in a file`,
  });
}
