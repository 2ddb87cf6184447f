import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { KvsError } from '../../base/errors.js';
import { ALIAS, DEFAULT_KEY, KEY_ID } from './key-name.js';

/* The key file: SPEC.md, "Key file", describes it. */

/** States of a key, as KMS names them. Only an Enabled key can be used. @internal */
export const KEY_STATES = [
  'Enabled',
  'Disabled',
  'Creating',
  'PendingDeletion',
  'PendingImport',
  'PendingReplicaDeletion',
  'Unavailable',
  'Updating',
] as const;
const KEY_USAGES = ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'GENERATE_VERIFY_MAC'] as const;
const FIELDS: readonly string[] = ['accountId', 'aliases', 'state', 'usage', 'versions'];
const MATERIAL_BYTES = 32;

/** @internal */
export type KeyState = (typeof KEY_STATES)[number];

/** A master key: what data keys are wrapped with. @internal */
export interface MasterKey {
  readonly id: string;
  /** Whose it is; undefined: everybody's. */
  readonly account: string | undefined;
  /** Without `alias/`. */
  readonly aliases: readonly string[];
  readonly state: KeyState;
  readonly usage: (typeof KEY_USAGES)[number];
  /** Key material by version. */
  readonly versions: ReadonlyMap<number, KeyObject>;
  /** The highest version, with which is wrapped. */
  readonly current: number;
}

/** A key as it stands in the file. @internal */
export interface KeyEntry {
  readonly accountId?: string;
  readonly aliases?: readonly string[];
  readonly state?: KeyState;
  readonly usage?: (typeof KEY_USAGES)[number];
  readonly versions: Readonly<Record<string, string>>;
}

/** New key material as it stands in the file. @internal */
export function newMaterial(): string {
  return randomBytes(MATERIAL_BYTES).toString('base64');
}

/** What a new key file holds. @internal */
export function defaultKeys(): Readonly<Record<string, KeyEntry>> {
  return { [DEFAULT_KEY]: { versions: { 1: newMaterial() } } };
}

/** A key file with these keys. @internal */
export function writeKeyFile(keys: Readonly<Record<string, KeyEntry>>): string {
  return `${JSON.stringify({ version: 1, keys }, undefined, 2)}\n`;
}

/**
 * The entries of a key file. What is not understood is refused, since to pass over a misspelt state
 * would enable a key. Throws `KvsError` STATUS_INVALID_ARG; no message holds key material. @internal
 */
export function readKeyFile(text: string, path: string): Readonly<Record<string, KeyEntry>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message would quote the text.
    throw badKeyFile(path, 'it is not JSON');
  }
  if (!isRecord(value) || value['version'] !== 1 || !isRecord(value['keys'])) {
    throw badKeyFile(path, 'it is not {"version": 1, "keys": {…}}');
  }
  const entries = Object.entries(value['keys']).map(([id, entry]) => {
    const fault = entryFault(id, entry);
    if (!isEntry(entry, fault)) throw badKeyFile(path, fault ?? '');
    return [id, entry] as const;
  });
  const double = doubleAlias(entries);
  if (double !== undefined) throw badKeyFile(path, `${double} is an alias of two keys`);
  return Object.fromEntries(entries);
}

/** The master keys of a key file, by id. Throws as `readKeyFile` does. @internal */
export function parseKeyFile(text: string, path: string): ReadonlyMap<string, MasterKey> {
  const entries = Object.entries(readKeyFile(text, path));
  return new Map(entries.map(([id, entry]) => [id, masterKey(id, entry)]));
}

function masterKey(id: string, entry: KeyEntry): MasterKey {
  const versions = new Map(
    Object.entries(entry.versions).map(([version, material]) => [
      Number(version),
      createSecretKey(Buffer.from(material, 'base64')),
    ]),
  );
  return {
    id,
    account: entry.accountId,
    aliases: (entry.aliases ?? []).map((alias) => alias.slice('alias/'.length)),
    state: entry.state ?? 'Enabled',
    usage: entry.usage ?? 'ENCRYPT_DECRYPT',
    versions,
    current: Math.max(...versions.keys()),
  };
}

function entryFault(id: string, entry: unknown): string | undefined {
  if (id !== DEFAULT_KEY && !KEY_ID.test(id)) return `'${id}' is no key id`;
  if (!isRecord(entry)) return `key ${id} is not an object`;
  const stranger = Object.keys(entry).find((name) => !FIELDS.includes(name));
  if (stranger !== undefined) return `'${stranger}' of key ${id} is not understood`;
  const { accountId, aliases = [], state = 'Enabled', usage = 'ENCRYPT_DECRYPT' } = entry;
  if (accountId !== undefined && !(typeof accountId === 'string' && /^\d{12}$/.test(accountId))) {
    return `accountId of key ${id} is not twelve digits`;
  }
  if (!Array.isArray(aliases) || !aliases.every((alias) => ALIAS.test(String(alias)))) {
    return `aliases of key ${id} is not a list of alias/NAME`;
  }
  if (!KEY_STATES.some((name) => name === state)) {
    return `state of key ${id} is not one of ${KEY_STATES.join(', ')}`;
  }
  if (!KEY_USAGES.some((name) => name === usage)) {
    return `usage of key ${id} is not one of ${KEY_USAGES.join(', ')}`;
  }
  return versionsFault(id, entry['versions']);
}

function versionsFault(id: string, versions: unknown): string | undefined {
  if (!isRecord(versions) || Object.keys(versions).length === 0) {
    return `key ${id} has no versions; at least "1" is needed`;
  }
  for (const [version, material] of Object.entries(versions)) {
    if (!/^[1-9]\d{0,8}$/.test(version)) return `version '${version}' of key ${id} is no number`;
    if (typeof material === 'string' && /^[\d+/A-Za-z]{43}=$/.test(material)) continue;
    return `version ${version} of key ${id} is not ${String(MATERIAL_BYTES)} bytes in base64`;
  }
  return undefined;
}

function doubleAlias(entries: readonly (readonly [string, KeyEntry])[]): string | undefined {
  const seen = new Set<string>();
  for (const [, { accountId = '', aliases = [] }] of entries) {
    for (const alias of new Set(aliases)) {
      if (seen.has(`${accountId} ${alias}`)) return alias;
      seen.add(`${accountId} ${alias}`);
    }
  }
  return undefined;
}

function isEntry(value: unknown, fault: string | undefined): value is KeyEntry {
  return isRecord(value) && fault === undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @internal */
export function badKeyFile(path: string, what: string): KvsError {
  return new KvsError({ status: 'STATUS_INVALID_ARG', message: `key file ${path}: ${what}` });
}
