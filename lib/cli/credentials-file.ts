import { readFile } from 'node:fs/promises';
import { KvsError } from '../base/errors.js';
import { parsePolicy, type ServiceCredential } from '../service/index.js';

const FIELDS: readonly string[] = ['secretAccessKey', 'accountId', 'userName', 'policies'];

/**
 * Reads the access keys of a service from a file: see `parseCredentialsFile`.
 *
 * @throws KvsError STATUS_OPEN_FILE_FAILED where it cannot be read, and as parseCredentialsFile.
 */
export async function readCredentialsFile(
  path: string,
): Promise<Readonly<Record<string, ServiceCredential>>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const message = `credentials file ${path} cannot be read; give the path of a file of access keys`;
    throw new KvsError({ status: 'STATUS_OPEN_FILE_FAILED', message, cause });
  }
  return parseCredentialsFile(text, path);
}

/**
 * Reads the access keys of a service from JSON: an object of access key to
 * `{ "secretAccessKey", "accountId", "userName"?, "policies"? }`. `path` is for messages only.
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
  const policies: unknown = fields.get('policies');
  if (policies !== undefined && !Array.isArray(policies)) {
    throw bad(path, `policies of ${key} is not a list`);
  }
  return {
    secretAccessKey,
    accountId: text('accountId') ?? '123456789012',
    ...(userName === undefined ? {} : { userName }),
    ...(policies === undefined
      ? {}
      : { policies: policies.map((policy) => parsePolicy(policy, `${key} in ${path}`)) }),
  };
}

function bad(path: string, what: string, cause?: unknown): KvsError {
  return new KvsError({
    status: 'STATUS_INVALID_ARG',
    message: `credentials file ${path}: ${what}; expected {"ACCESSKEY": {"secretAccessKey": "…", "accountId": "123456789012"}}`,
    cause,
  });
}
