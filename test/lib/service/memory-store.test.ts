import { describe } from 'vitest';
import { DataKey } from '../../../lib/service/media/seal.js';
import { MemoryData, MemoryStore } from '../../support/memory-store.js';
import { storeContract } from './store-contract.js';

/* The contract is about stores, not about files: one without any keeps it as well. */

describe.each([
  { as: 'sent', key: undefined },
  { as: 'sealed', key: new DataKey(Buffer.alloc(32, 7)) },
])('a store in memory, fragments as $as', ({ key }) => {
  storeContract(() => {
    const data = new MemoryData();
    return Promise.resolve({
      store: new MemoryStore(data),
      reopen: () => Promise.resolve(new MemoryStore(data)),
      remove: () => Promise.resolve(),
    });
  }, key);
});
