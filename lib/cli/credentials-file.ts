import { KvsError } from '../base/errors.js';
import { parsePolicy, type ServiceCredential } from '../service/index.js';
import { readPrivate } from '../service/private-file.js';

const FIELDS: readonly string[] = [
  'secretAccessKey',
  'accountId',
  'userName',
  'sessionToken',
  'expiration',
  'policies',
];

/**
 * Reads the access keys of a service from a file: see `parseCredentialsFile`.
 *
 * @throws KvsError STATUS_OPEN_FILE_FAILED where it cannot be read, STATUS_INVALID_ARG where others
 *   than its owner may read it, and as parseCredentialsFile.
 */
export async function readCredentialsFile(
  path: string,
): Promise<Readonly<Record<string, ServiceCredential>>> {
  const file = await readPrivate(path);
  if (file === undefined) {
    const message = `credentials file ${path} cannot be read; give the path of a file of access keys`;
    throw new KvsError({ status: 'STATUS_OPEN_FILE_FAILED', message });
  }
  return parseCredentialsFile(file.bytes.toString(), path);
}

/**
 * Reads the access keys of a service from JSON: an object of access key to
 * `{ "secretAccessKey", "accountId", "userName"?, "sessionToken"?, "expiration"?, "policies"? }`, the
 * expiration as `2026-12-31T23:59:59Z`. `path` is for messages only.
 *
 * @throws KvsError STATUS_INVALID_ARG naming the file, the key and the rule.
 */
export function parseCredentialsFile(
  text: string,
  path: string,
): Readonly<Record<string, ServiceCredential>> {
  const entries = Object.entries(parseObject(text, path));
  if (entries.length === 0) throw bad(path, 'it names no access key');
  return Object.fromEntries(entries.map(([key, value]) => [key, credential(key, value, path)]));
}

function parseObject(text: string, path: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad(path, 'it is not JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw bad(path, 'it is not an object of access keys');
  }
  return value;
}

function credential(key: string, value: unknown, path: string): ServiceCredential {
  const fields = new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  const text = (name: string): string | undefined => {
    const field: unknown = fields.get(name);
    return typeof field === 'string' && field !== '' ? field : undefined;
  };
  // A name that is not understood could have been meant to restrict the key.
  const unknown = [...fields.keys()].find((name) => !FIELDS.includes(name));
  if (unknown !== undefined) {
    throw bad(path, `'${unknown}' of ${key} is none of ${FIELDS.join(', ')}`);
  }
  const secretAccessKey = text('secretAccessKey');
  if (secretAccessKey === undefined) throw bad(path, `${key} has no secretAccessKey`);
  const userName = text('userName');
  const sessionToken = text('sessionToken');
  const expiration = expirationOf(fields.get('expiration'), key, path);
  const policies: unknown = fields.get('policies');
  if (policies !== undefined && !Array.isArray(policies)) {
    throw bad(path, `policies of ${key} is not a list`);
  }
  return {
    secretAccessKey,
    accountId: text('accountId') ?? '123456789012',
    ...(userName === undefined ? {} : { userName }),
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(expiration === undefined ? {} : { expiration }),
    ...(policies === undefined
      ? {}
      : { policies: policies.map((policy) => parsePolicy(policy, `${key} in ${path}`)) }),
  };
}

/** A time that is not understood could have been meant to end the key. */
function expirationOf(value: unknown, key: string, path: string): number | undefined {
  if (value === undefined) return undefined;
  const time =
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(time)) {
    throw bad(path, `expiration of ${key} is no time like 2026-12-31T23:59:59Z`);
  }
  return time;
}

function bad(path: string, what: string, cause?: unknown): KvsError {
  return new KvsError({
    status: 'STATUS_INVALID_ARG',
    message: `credentials file ${path}: ${what}; expected {"ACCESSKEY": {"secretAccessKey": "…", "accountId": "123456789012"}}`,
    cause,
  });
}
