import { crc32 } from 'node:zlib';
import { SEAL_BYTES } from '../aead.js';
import { NUMBER_BYTES, decodeNumber } from '../store/codec.js';
import { decodeFrameTable, type FrameTable } from '../store/frame-table.js';
import { FragmentDamagedError, PIECE_BYTES } from '../store/types.js';
import type { FragmentRecord, FragmentStore, MediaReader } from '../store/types.js';
import { SUM_BYTES, checkBytes, pieceCount, withoutSum, type PieceCheck } from './pieces.js';
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
    return opened(await this.#openHeader(record, stored), () =>
      damaged(record, 'has another MKV header than was stored'),
    );
  }

  /** The producer's own tags of a fragment, verified. */
  async tags(record: FragmentRecord): Promise<Uint8Array> {
    if (record.tagsBytes === 0) return new Uint8Array();
    const key = await this.#fragmentKey(record);
    const stored = await this.#media.part(record, 'tags');
    if (record.layout === 4) return this.#part(record, 'tags', key, stored);
    const length = record.tagsBytes + (key === undefined ? 0 : SEAL_BYTES);
    if (stored?.length !== length || crc32(stored) !== record.tagsSum) {
      throw damaged(record, 'has damaged tags');
    }
    if (key === undefined) return stored;
    return opened(key.open(PART.tags, stored), () =>
      damaged(record, 'has other tags than were stored'),
    );
  }

  /** The frames of a fragment, verified; undefined where they were not kept. */
  async table(record: FragmentRecord): Promise<FrameTable | undefined> {
    if (record.tableBytes === 0) return undefined;
    const key = await this.#fragmentKey(record);
    const bytes = this.#part(record, 'table', key, await this.#media.part(record, 'table'));
    return decodeFrameTable(bytes);
  }

  /**
   * The cluster's bytes in pieces of at most `PIECE_BYTES`, each verified before it is given.
   * Throws `FragmentDamagedError` before the first byte that is not what was stored.
   */
  async *pieces(record: FragmentRecord): AsyncGenerator<Uint8Array, void, undefined> {
    const key = await this.#fragmentKey(record);
    if (key !== undefined) checkRecord(key, record);
    const check = checkOf(record);
    const extra = checkBytes(check);
    const count = pieceCount(record.clusterBytes, key !== undefined);
    for (let index = 0; index < count; index += 1) {
      const at = index * PIECE_BYTES;
      const from = at + index * extra;
      const length = Math.min(PIECE_BYTES, record.clusterBytes - at) + extra;
      const fault = (what: string): FragmentDamagedError =>
        damaged(record, `${what}: piece ${String(index)} at ${this.#media.where(record, from)}`);
      const stored = await this.#media.read(record, from, length);
      if (stored === undefined || !hasSum(record, index, stored)) throw fault('is damaged');
      if (key !== undefined) {
        yield opened(key.open(index, stored), () => fault('is damaged or was changed'));
      } else if (check === 'sum apart') yield stored;
      else yield opened(withoutSum(stored), () => fault('is damaged'));
    }
  }

  /** Throws `FragmentDamagedError` where the media say something else of a fragment than the index. */
  async checkRecord(record: FragmentRecord): Promise<void> {
    if (await this.#media.agrees(record)) return;
    throw damaged(record, `has a damaged record before ${this.#media.where(record, 0)}`);
  }

  close(): Promise<void> {
    return this.#media.close();
  }

  async #openHeader(record: FragmentRecord, stored: Uint8Array): Promise<Uint8Array | undefined> {
    const { layout, sealed, headerId } = record;
    if (sealed === undefined) return layout === 4 ? withoutSum(stored) : stored;
    const key = await this.#dataKey();
    if (layout === 4) return key.header(this.#id, headerId).open(PART.header, stored);
    const of = key.fragment(this.#id, decodeNumber(stored));
    return of.open(PART.header, stored.subarray(NUMBER_BYTES), headerId);
  }

  #part(
    record: FragmentRecord,
    part: 'tags' | 'table',
    key: FragmentKey | undefined,
    stored: Uint8Array | undefined,
  ): Uint8Array {
    const bytes = part === 'tags' ? record.tagsBytes : record.tableBytes;
    const length = bytes + (key === undefined ? SUM_BYTES : SEAL_BYTES);
    const what = part === 'tags' ? 'tags' : 'a frame table';
    if (stored?.length !== length) throw damaged(record, `has lost ${what}`);
    return opened(key === undefined ? withoutSum(stored) : key.open(PART[part], stored), () =>
      damaged(record, `has damaged or changed ${what}`),
    );
  }

  #dataKey(): Promise<DataKey> {
    if (this.#key !== undefined) return this.#key();
    throw new Error('the reader of a sealed fragment was given no key');
  }

  /** Undefined for a fragment that was stored as it was sent. */
  async #fragmentKey({ sealed, number }: FragmentRecord): Promise<FragmentKey | undefined> {
    return sealed === undefined ? undefined : (await this.#dataKey()).fragment(this.#id, number);
  }
}

function checkOf({ layout, sealed }: FragmentRecord): PieceCheck {
  if (sealed !== undefined) return 'seal';
  return layout === 4 ? 'sum behind' : 'sum apart';
}

/** Whether a piece has the checksum that is kept apart, where one is. */
function hasSum({ sums }: FragmentRecord, index: number, stored: Uint8Array): boolean {
  return sums.length === 0 || crc32(stored) === sums[index];
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
