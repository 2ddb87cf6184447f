import { randomBytes } from 'node:crypto';
import { encodeNumber } from '../store/codec.js';
import type {
  Durability,
  FragmentMeta,
  FragmentRecord,
  FragmentStore,
  LeaseToken,
  MediaWriter,
  StoredHeader,
} from '../store/types.js';
import { PieceCutter } from './pieces.js';
import { PART, type DataKey, type FragmentKey } from './seal.js';

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
    if (header !== this.#header || this.#stored === undefined) {
      this.#header = header;
      this.#stored = storedHeader(key, number, header);
    }
    const pieces = new PieceCutter(key, (bytes) => {
      this.#media.append(bytes);
    });
    this.#open = { number, key, pieces };
    this.#media.begin(number, this.#lease, this.#stored);
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
  commit(meta: FragmentMeta, tags: Uint8Array, durability: Durability): Promise<FragmentRecord> {
    const open = this.#open;
    if (open?.number !== meta.number) {
      return Promise.reject(new Error('commit without a begin of this number'));
    }
    this.#open = undefined;
    const { key, pieces } = open;
    const sums = pieces.end();
    this.#media.due = 0;
    const whole = {
      meta,
      clusterBytes: pieces.bytes,
      sums,
      tagsBytes: tags.length,
      tags: key === undefined || tags.length === 0 ? tags : key.seal(PART.tags, tags),
      seal: key && ((over: Uint8Array): Uint8Array => key.seal(PART.entry, NONE, over)),
    };
    return this.#media.commit(whole, durability);
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
}

/** A sealed header begins with the number of the fragment whose key it is sealed with. */
function storedHeader(
  key: FragmentKey | undefined,
  number: bigint,
  header: Uint8Array,
): StoredHeader {
  // Not shared between writers, so that the use of a header is recorded in number order.
  const id = randomBytes(16);
  if (key === undefined) return { id, bytes: header };
  return { id, bytes: Buffer.concat([encodeNumber(number), key.seal(PART.header, header, id)]) };
}
