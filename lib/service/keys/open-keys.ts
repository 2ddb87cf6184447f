import type { CheckedOptions } from '../options.js';
import type { Catalog } from '../store/types.js';
import { KeyRing, missingFile } from './key-ring.js';
import { StreamKeys } from './stream-keys.js';

/**
 * The keys of a service. Where there is no key file one is made, unless something was sealed with
 * keys that it held. Rejects with `KvsError`. @internal
 */
export async function openKeys(
  { keyFile, region, log }: Pick<CheckedOptions, 'keyFile' | 'region' | 'log'>,
  catalog: Catalog,
): Promise<StreamKeys> {
  const ring = new KeyRing(keyFile, log);
  if ((await ring.load()) === 'missing') {
    if (await isSealed(catalog)) throw missingFile(keyFile);
    await ring.create();
    log('info', `made the key file ${keyFile}; without it nobody can read what will be stored`);
  }
  return new StreamKeys(ring, catalog, region);
}

async function isSealed(catalog: Catalog): Promise<boolean> {
  for (const { id } of await catalog.streams()) {
    if ((await catalog.item(id, 'dataKey')) !== undefined) return true;
  }
  return false;
}
