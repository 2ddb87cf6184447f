import { randomUUID } from 'node:crypto';
import { readPrivate, writePrivate } from '../private-file.js';
import { whileLocked } from './edit-lock.js';
import { badKeyFile, defaultKeys, newMaterial, readKeyFile, writeKeyFile } from './key-file.js';
import type { KeyEntry } from './key-file.js';

/** What a new master key has. */
export interface NewKeyOptions {
  /** Its id; a new UUID by default. */
  readonly keyId?: string;
  /** Names it also has, each `alias/NAME`. */
  readonly aliases?: readonly string[];
  /** Whose it is, twelve digits; everybody's by default. */
  readonly accountId?: string;
}

/**
 * Adds a master key to a service's key file, making the file with the default key when there is
 * none; gives the new key's id. A running service sees it at its next call. Rejects with `KvsError`: the id or an alias is
 * taken or malformed, or the file is bad or may be read by others.
 */
export async function createKey(keyFile: string, options: NewKeyOptions = {}): Promise<string> {
  const { keyId = randomUUID(), aliases, accountId } = options;
  return whileLocked(keyFile, async () => {
    const keys = await readKeys(keyFile);
    if (Object.hasOwn(keys, keyId)) throw badKeyFile(keyFile, `it has a key ${keyId} already`);
    const entry: KeyEntry = {
      ...(accountId !== undefined && { accountId }),
      ...(aliases !== undefined && { aliases }),
      versions: { 1: newMaterial() },
    };
    await writeKeys(keyFile, { ...keys, [keyId]: entry });
    return keyId;
  });
}

/**
 * Gives a master key a new version, which wraps data keys from now on; gives its number. A stream's
 * data key is wrapped anew when it is next written to; until then the version before is needed.
 * Rejects with `KvsError` as `createKey` does, or when there is no such key.
 */
export async function rotateKey(keyFile: string, keyId: string): Promise<number> {
  return whileLocked(keyFile, async () => {
    const keys = await readKeys(keyFile);
    const entry = Object.hasOwn(keys, keyId) ? keys[keyId] : undefined;
    if (entry === undefined) throw badKeyFile(keyFile, `it has no key ${keyId}`);
    const version = Math.max(...Object.keys(entry.versions).map(Number)) + 1;
    const versions = { ...entry.versions, [version]: newMaterial() };
    await writeKeys(keyFile, { ...keys, [keyId]: { ...entry, versions } });
    return version;
  });
}

async function readKeys(path: string): Promise<Readonly<Record<string, KeyEntry>>> {
  const file = await readPrivate(path);
  return file === undefined ? defaultKeys() : readKeyFile(file.bytes.toString(), path);
}

async function writeKeys(path: string, keys: Readonly<Record<string, KeyEntry>>): Promise<void> {
  const text = writeKeyFile(keys);
  readKeyFile(text, path);
  await writePrivate(path, text);
}
