import { randomBytes } from 'node:crypto';
import { SEAL_BYTES } from '../aead.js';
import { encodeNumber } from '../store/codec.js';
import { NO_DETAIL } from '../store/types.js';
import type {
  Durability,
  FragmentDetail,
  FragmentMeta,
  FragmentRecord,
  FragmentStore,
  LeaseToken,
  MediaWriter,
  StoredHeader,
} from '../store/types.js';
import { PieceCutter, SUM_BYTES, withSum } from './pieces.js';
import { PART, nameOf, type DataKey, type FragmentKey } from './seal.js';

const NONE: Readonly<Uint8Array> = new Uint8Array();

interface OpenFragment {
  readonly number: bigint;
  readonly key: FragmentKey | undefined;
  readonly pieces: PieceCutter;
}

/** Opens a stream for writing. With a key, all that the writer is given is stored sealed. @internal */
export async function openWriter(
  store: FragmentStore,
  id: number,
  key?: DataKey,
): Promise<FragmentWriter> {
  return new FragmentWriter(store.live.lease(id), await store.media.openWriter(id), key);
}

/**
 * Takes the fragments of one connection, one after the other, and stores them sealed. Between
 * `begin` and `commit` or `abort` one fragment is open. @internal
 */
export class FragmentWriter {
  readonly #lease: LeaseToken;
  readonly #media: MediaWriter;
  readonly #key: DataKey | undefined;
  #open: OpenFragment | undefined;
  #header: Uint8Array = new Uint8Array();
  #stored: StoredHeader | undefined;

  constructor(lease: LeaseToken, media: MediaWriter, key: DataKey | undefined) {
    this.#lease = lease;
    this.#media = media;
    this.#key = key;
  }

  /**
   * Opens the fragment with this number, sent under this MKV header. No number may be given twice
   * within a stream, to whichever writer: what is sealed is sealed under the number.
   */
  begin(header: Uint8Array, number: bigint): void {
    const key = this.#key?.fragment(this.#lease.stream, number);
    const stored =
      this.#media.layout === 4
        ? this.#namedHeader(header)
        : this.#numberedHeader(key, number, header);
    const pieces = new PieceCutter(key, this.#media.layout, (bytes) => {
      this.#media.append(bytes);
    });
    this.#open = { number, key, pieces };
    this.#media.begin(number, this.#lease, stored);
  }

  /** By how much `begin` under this header makes less room. */
  growthToBegin(header: Uint8Array): number {
    return this.#media.layout === 4 ? this.#media.growthToBegin(this.#namedHeader(header)) : 0;
  }

  /** Adds bytes of the open fragment; keeps a view of them until they are written. */
  append(bytes: Uint8Array): void {
    const pieces = this.#open?.pieces;
    if (pieces === undefined) return;
    pieces.append(bytes);
    this.#media.due = pieces.due;
  }

  /** By how much `append` of so many bytes makes less room, in all. */
  growth(bytes: number): number {
    return this.#open?.pieces.growth(bytes) ?? bytes;
  }

  /** Bytes that wait to be written. */
  backlog(): number {
    return this.#media.backlog();
  }

  /** Resolves when nothing waits to be written; rejects when the disk failed. */
  drained(): Promise<void> {
    return this.#media.drained();
  }

  /**
   * Ends the open fragment, which must have the number of `meta`. Resolves when it is readable,
   * and durable when so asked.
   */
  commit(
    meta: FragmentMeta,
    tags: Uint8Array,
    durability: Durability,
    more: { readonly table?: Uint8Array; readonly detail?: FragmentDetail } = {},
  ): Promise<FragmentRecord> {
    const open = this.#open;
    if (open?.number !== meta.number) {
      return Promise.reject(new Error('commit without a begin of this number'));
    }
    this.#open = undefined;
    const { key, pieces } = open;
    const sums = pieces.end();
    this.#media.due = 0;
    const { detail = NO_DETAIL, table = NONE } = more;
    const whole = {
      ...{ meta, detail, sums, clusterBytes: pieces.bytes },
      tagsBytes: tags.length,
      tags: this.#storedPart(key, PART.tags, tags),
      tableBytes: table.length,
      table: this.#storedPart(key, PART.table, table),
      seal: key && ((over: Uint8Array): Uint8Array => key.seal(PART.entry, NONE, over)),
    };
    return this.#media.commit(whole, durability);
  }

  /** A name for what tells a player about media; nobody without the key can guess what it is of. */
  configuration(bytes: Uint8Array): Uint8Array {
    return nameOf(this.#key, 'configuration', bytes);
  }

  /** By how much the end of the open fragment makes less room, with tags and table of so many bytes. */
  growthAtEnd(tags: number, table: number): number {
    const check = this.#key === undefined ? SUM_BYTES : SEAL_BYTES;
    return (tags > 0 ? tags + check : 0) + (table > 0 ? table + check : 0);
  }

  #storedPart(key: FragmentKey | undefined, part: number, bytes: Readonly<Uint8Array>): Uint8Array {
    if (bytes.length === 0) return new Uint8Array();
    if (key !== undefined) return key.seal(part, bytes);
    return this.#media.layout === 4 ? withSum(bytes) : Uint8Array.from(bytes);
  }

  /** A header is named by what it is, and sealed under its name. */
  #namedHeader(header: Uint8Array): StoredHeader {
    if (header === this.#header && this.#stored !== undefined) return this.#stored;
    const id = nameOf(this.#key, 'header name', header);
    const key = this.#key?.header(this.#lease.stream, id);
    this.#header = header;
    return (this.#stored = { id, bytes: key?.seal(PART.header, header) ?? withSum(header) });
  }

  /** Throws the open fragment away; nothing happens without one. */
  abort(): void {
    this.#open = undefined;
    this.#media.due = 0;
    this.#media.abort();
  }

  /** Gives the place back. Commits that are under way go on. */
  close(): Promise<void> {
    this.abort();
    return this.#media.close();
  }

  /** Formats 1 to 3: a sealed header begins with the number of the fragment whose key it is sealed with. */
  #numberedHeader(key: FragmentKey | undefined, number: bigint, header: Uint8Array): StoredHeader {
    if (header === this.#header && this.#stored !== undefined) return this.#stored;
    // Not shared between writers, so that the use of a header is recorded in number order.
    const id = randomBytes(16);
    const sealed = key?.seal(PART.header, header, id);
    const bytes = sealed === undefined ? header : Buffer.concat([encodeNumber(number), sealed]);
    this.#header = header;
    return (this.#stored = { id, bytes });
  }
}
