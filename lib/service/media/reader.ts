import { crc32 } from 'node:zlib';
import { SEAL_BYTES } from '../aead.js';
import { NUMBER_BYTES, decodeNumber } from '../store/codec.js';
import { FragmentDamagedError, PIECE_BYTES } from '../store/types.js';
import type { FragmentRecord, FragmentStore, MediaReader } from '../store/types.js';
import { pieceCount } from './pieces.js';
import { PART, type DataKey, type FragmentKey } from './seal.js';

/** Gives the key that a stream's fragments are sealed under; rejects where it may not be used. @internal */
export type KeySource = () => Promise<DataKey>;

/** Opens a stream for reading. `key` is asked for each sealed fragment. @internal */
export function openReader(store: FragmentStore, id: number, key?: KeySource): FragmentReader {
  return new FragmentReader(id, store.media.openReader(id), key);
}

/** Reads fragments of one stream; keeps at most one file open. No concurrent use. @internal */
export class FragmentReader {
  readonly #id: number;
  readonly #media: MediaReader;
  readonly #key: KeySource | undefined;

  constructor(id: number, media: MediaReader, key: KeySource | undefined) {
    this.#id = id;
    this.#media = media;
    this.#key = key;
  }

  /** The MKV header of a fragment. Throws `FragmentDamagedError` when it is gone or changed. */
  async header(record: FragmentRecord): Promise<Uint8Array> {
    const stored = await this.#media.part(record, 'header');
    if (stored === undefined) throw damaged(record, 'has lost its MKV header');
    if (record.sealed === undefined) return stored;
    const key = await this.#fragmentKey(record, decodeNumber(stored));
    const sealed = stored.subarray(NUMBER_BYTES);
    return opened(key?.open(PART.header, sealed, record.headerId), () =>
      damaged(record, 'has another MKV header than was stored'),
    );
  }

  /** The producer's own tags of a fragment, verified. */
  async tags(record: FragmentRecord): Promise<Uint8Array> {
    if (record.tagsBytes === 0) return new Uint8Array();
    const key = await this.#fragmentKey(record);
    const stored = await this.#media.part(record, 'tags');
    const length = record.tagsBytes + (key === undefined ? 0 : SEAL_BYTES);
    if (stored?.length !== length || crc32(stored) !== record.tagsSum) {
      throw damaged(record, 'has damaged tags');
    }
    if (key === undefined) return stored;
    return opened(key.open(PART.tags, stored), () =>
      damaged(record, 'has other tags than were stored'),
    );
  }

  /**
   * The cluster's bytes in pieces of at most `PIECE_BYTES`, each verified before it is given.
   * Throws `FragmentDamagedError` before the first byte that is not what was stored.
   */
  async *pieces(record: FragmentRecord): AsyncGenerator<Uint8Array, void, undefined> {
    const key = await this.#fragmentKey(record);
    if (key !== undefined) checkRecord(key, record);
    const extra = key === undefined ? 0 : SEAL_BYTES;
    const count = pieceCount(record.clusterBytes, key !== undefined);
    for (let index = 0; index < count; index += 1) {
      const at = index * PIECE_BYTES;
      const from = at + index * extra;
      const length = Math.min(PIECE_BYTES, record.clusterBytes - at) + extra;
      const fault = (what: string): FragmentDamagedError =>
        damaged(record, `${what}: piece ${String(index)} at ${this.#media.where(record, from)}`);
      const stored = await this.#media.read(record, from, length);
      if (stored === undefined || !hasSum(record, index, stored)) throw fault('is damaged');
      if (key === undefined) yield stored;
      else yield opened(key.open(index, stored), () => fault('is damaged or was changed'));
    }
  }

  close(): Promise<void> {
    return this.#media.close();
  }

  /** Undefined for a fragment that was stored as it was sent. */
  async #fragmentKey(
    { sealed, number }: FragmentRecord,
    of: bigint = number,
  ): Promise<FragmentKey | undefined> {
    if (sealed === undefined) return undefined;
    if (this.#key === undefined)
      throw new Error('the reader of a sealed fragment was given no key');
    return (await this.#key()).fragment(this.#id, of);
  }
}

/** Whether a piece has its checksum; one that has a seal needs none. */
function hasSum({ sums, sealed }: FragmentRecord, index: number, stored: Uint8Array): boolean {
  return (sealed !== undefined && sums.length === 0) || crc32(stored) === sums[index];
}

/** What the store says of a sealed fragment must be what was said when it was stored. */
function checkRecord(key: FragmentKey, record: FragmentRecord): void {
  const { seal = new Uint8Array(), over = seal } = record.sealed ?? {};
  opened(key.open(PART.entry, seal, over), () =>
    damaged(record, 'has another index entry than was stored'),
  );
}

function opened(bytes: Uint8Array | undefined, fault: () => FragmentDamagedError): Uint8Array {
  if (bytes === undefined) throw fault();
  return bytes;
}

function damaged(record: FragmentRecord, what: string): FragmentDamagedError {
  return new FragmentDamagedError(`fragment ${String(record.number)} ${what}`);
}
