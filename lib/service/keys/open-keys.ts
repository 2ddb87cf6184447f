import type { CheckedOptions } from '../options.js';
import type { FragmentStore } from '../store/types.js';
import { KeyRing, missingFile } from './key-ring.js';
import { StreamKeys } from './stream-keys.js';

/**
 * The keys of a service. Where there is no key file one is made, unless something was sealed with
 * keys that it held. Rejects with `KvsError`. @internal
 */
export async function openKeys(
  { keyFile, region, log }: Pick<CheckedOptions, 'keyFile' | 'region' | 'log'>,
  store: FragmentStore,
): Promise<StreamKeys> {
  const ring = new KeyRing(keyFile, log);
  if ((await ring.load()) === 'missing') {
    if (await isSealed(store)) throw missingFile(keyFile);
    await ring.create();
    log('info', `made the key file ${keyFile}; without it nobody can read what will be stored`);
  }
  return new StreamKeys(ring, store, region);
}

async function isSealed(store: FragmentStore): Promise<boolean> {
  for (const { id } of await store.streams()) {
    if ((await store.item(id, 'dataKey')) !== undefined) return true;
  }
  return false;
}
