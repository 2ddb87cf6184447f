import { randomBytes } from 'node:crypto';
import type { KeySource } from '../media/reader.js';
import { DATA_KEY_BYTES, DataKey } from '../media/seal.js';
import { Turns } from '../store/turns.js';
import type { Catalog, StreamRecord } from '../store/types.js';
import { KeyError } from './key-error.js';
import type { MasterKey } from './key-file.js';
import { DEFAULT_KEY, parseKeyName } from './key-name.js';
import { checkUsable, type KeyRing } from './key-ring.js';
import { storedWrappedKey } from './stored-key.js';
import { decodeWrapped, encodeWrapped, unwrapKey, wrapKey } from './wrapped-key.js';
import type { WrappedKey } from './wrapped-key.js';

/** Whether the caller of a media operation may use a master key for it. @internal */
export type MayUse = (action: 'kms:GenerateDataKey' | 'kms:Decrypt', arn: string) => boolean;

/** The key of a stream that is being written. @internal */
export interface WritingKey {
  readonly key: DataKey;
  /** Throws `KeyError` when the key may not be used any more. */
  readonly check: () => void;
}

interface Known {
  readonly generation: number;
  readonly key: DataKey;
}

/**
 * The data keys of streams: made at the first PutMedia, kept wrapped by a master key, unwrapped when
 * media is put or read and not before (guide: server-side encryption). @internal
 */
export class StreamKeys {
  readonly #ring: KeyRing;
  readonly #catalog: Catalog;
  readonly #region: string;
  /** Unwrapped keys; forgotten when the key file changes. */
  readonly #known = new Map<number, Known>();
  /** Two first connections of a stream must not make two keys. */
  readonly #turns = new Turns();

  constructor(ring: KeyRing, catalog: Catalog, region: string) {
    this.#ring = ring;
    this.#catalog = catalog;
    this.#region = region;
  }

  /** Whether the key file could be read when it was last looked at. */
  get usable(): boolean {
    return this.#ring.readable;
  }

  /** Looks whether the key file has changed. */
  refresh(): Promise<void> {
    return this.#ring.refresh();
  }

  /** The stream is deleted. */
  forget(id: number): void {
    this.#known.delete(id);
  }

  /** The key to store under, made where there is none yet. Rejects with `KeyError`. */
  async toWrite(record: StreamRecord, mayUse: MayUse): Promise<WritingKey> {
    await this.#ring.refresh();
    this.#checkAccess(record, mayUse, 'kms:GenerateDataKey');
    const key = await this.#turns.run(record.id, () => this.#writingKey(record));
    return { key, check: () => void this.#usable(record) };
  }

  /**
   * The key to read with. Rejects with `KeyError` when the stream's key may not be used; so does the
   * source, once the key file has changed and the key that wrapped the data key may not be used.
   */
  async toRead(record: StreamRecord, mayUse: MayUse): Promise<KeySource> {
    await this.#ring.refresh();
    this.#checkAccess(record, mayUse, 'kms:Decrypt');
    return async () => {
      const known = this.#known.get(record.id);
      if (known?.generation === this.#ring.generation) return known.key;
      return this.#turns.run(record.id, () => this.#readingKey(record));
    };
  }

  async #writingKey(record: StreamRecord): Promise<DataKey> {
    const { id } = record;
    const master = this.#usable(record);
    const stored = await this.#catalog.item(id, 'dataKey');
    if (stored === undefined) {
      return this.#wrapAnew(record, master, randomBytes(DATA_KEY_BYTES), stored);
    }
    const wrapped = decodeWrapped(stored);
    const bytes = this.#unwrap(id, wrapped);
    if (wrapped.key === master.id && wrapped.version === master.current) {
      return this.#remember(id, bytes);
    }
    // The key was rotated, or its alias moved: the old one is not needed from now on.
    return this.#wrapAnew(record, master, bytes, stored);
  }

  async #readingKey(record: StreamRecord): Promise<DataKey> {
    const wrapped = await storedWrappedKey(this.#catalog, record);
    return this.#remember(record.id, this.#unwrap(record.id, wrapped));
  }

  async #wrapAnew(
    record: StreamRecord,
    master: MasterKey,
    bytes: Uint8Array,
    stored: Uint8Array | undefined,
  ): Promise<DataKey> {
    const { id } = record;
    const wrapped = encodeWrapped(wrapKey(master, id, bytes));
    // Where another process was first, its key is the stream's.
    const done = await this.#catalog.swapItem(id, 'dataKey', stored, wrapped);
    return done ? this.#remember(id, bytes) : this.#writingKey(record);
  }

  #remember(id: number, bytes: Uint8Array): DataKey {
    const key = new DataKey(bytes);
    bytes.fill(0);
    this.#known.set(id, { generation: this.#ring.generation, key });
    return key;
  }

  #unwrap(id: number, wrapped: WrappedKey): Uint8Array {
    const master = this.#ring.byId(wrapped.key);
    checkUsable(master);
    return unwrapKey(master, id, wrapped);
  }

  #usable(record: StreamRecord): MasterKey {
    const master = this.#named(record);
    checkUsable(master);
    return master;
  }

  #named({ kmsKeyId, account }: StreamRecord): MasterKey {
    return this.#ring.find(parseKeyName(kmsKeyId, account, this.#region));
  }

  /** The default key is there for everybody (guide: permissions to use a key of one's own). */
  #checkAccess(record: StreamRecord, mayUse: MayUse, action: Parameters<MayUse>[0]): void {
    const master = this.#named(record);
    const owner = master.account ?? record.account;
    const arn = `arn:aws:kms:${this.#region}:${owner}:key/${master.id}`;
    if (master.id !== DEFAULT_KEY && !mayUse(action, arn)) {
      throw new KeyError(4500, `the caller may not ${action} with ${arn}`);
    }
    checkUsable(master);
  }
}
