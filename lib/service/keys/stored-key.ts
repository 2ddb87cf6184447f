import type { KeySource } from '../media/reader.js';
import { DataKey } from '../media/seal.js';
import { FragmentDamagedError } from '../store/types.js';
import type { Catalog, StreamRecord } from '../store/types.js';
import type { KeyRing } from './key-ring.js';
import { decodeWrapped, unwrapKey, type WrappedKey } from './wrapped-key.js';

/** The wrapped data key of a stream. Rejects with `FragmentDamagedError` where it is gone. @internal */
export async function storedWrappedKey(
  catalog: Catalog,
  { id, name }: StreamRecord,
): Promise<WrappedKey> {
  const stored = await catalog.item(id, 'dataKey');
  if (stored !== undefined) return decodeWrapped(stored);
  throw new FragmentDamagedError(`stream ${name} has lost its data key`);
}

/**
 * The key of a stream for somebody who has its files and the key file, whatever the state of the
 * master key: who may look into both may know what is in them. @internal
 */
export function storedKey(ring: KeyRing, catalog: Catalog, record: StreamRecord): KeySource {
  let key: Promise<DataKey> | undefined;
  const unwrap = async (): Promise<DataKey> => {
    const wrapped = await storedWrappedKey(catalog, record);
    return new DataKey(unwrapKey(ring.byId(wrapped.key), record.id, wrapped));
  };
  return () => (key ??= unwrap());
}
