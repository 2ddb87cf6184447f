import type { DataKey } from './seal.js';

/** What the service knows of a stream besides its media. Times are ms since 1970. @internal */
export interface StreamRecord {
  /** Names the stream on disk; never used twice. */
  readonly id: number;
  readonly account: string;
  readonly name: string;
  readonly creationTime: number;
  readonly retentionHours: number;
  readonly version: string;
  readonly deviceName?: string;
  readonly kmsKeyId?: string;
  readonly mediaType?: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** What is known of a fragment when it is whole. Times are ms. @internal */
export interface FragmentMeta {
  readonly number: bigint;
  /** Time stamp of the cluster as the producer sent it. */
  readonly timecode: number;
  readonly producerTime: number;
  readonly serverTime: number;
  readonly duration: number;
}

/** A stored fragment: what it is, and where its bytes lie. @internal */
export interface FragmentRecord extends FragmentMeta {
  /** 16 bytes that name the MKV header it was sent under. */
  readonly headerId: Uint8Array;
  readonly segment: number;
  readonly offset: number;
  readonly clusterBytes: number;
  readonly tagsBytes: number;
  /** CRC-32 of the tags as they are stored. */
  readonly tagsSum: number;
  /** CRC-32 of each piece of the cluster, in order; none where the pieces are sealed. */
  readonly sums: readonly number[];
  /** Authenticates this record; undefined where the fragment is stored as it was sent. */
  readonly seal?: Uint8Array;
}

/** Which of a fragment's two times is meant. @internal */
export type TimeKind = 'producer' | 'server';

/** A range of fragment numbers; all bounds are optional. @internal */
export interface NumberRange {
  /** First number that may be returned. */
  readonly from?: bigint;
  /** Numbers from here on are left out. */
  readonly before?: bigint;
  readonly limit: number;
  readonly order?: 'ascending' | 'descending';
}

/** A range of fragment times, both ends included. @internal */
export interface TimeRange {
  readonly kind: TimeKind;
  readonly from: number;
  readonly to: number;
  readonly limit: number;
  readonly order?: 'ascending' | 'descending';
  /** Continue behind this fragment of an earlier answer. */
  readonly after?: { readonly time: number; readonly number: bigint };
}

/** When `commit` resolves: with the bytes and index entry flushed, or only handed over. @internal */
export type Durability = 'flushed' | 'buffered';

/**
 * Takes the fragments of one connection, one after the other. Between `begin` and `commit` or
 * `abort` one fragment is open. The writer keeps the arrays given to `append` until written.
 * @internal
 */
export interface FragmentWriter {
  /**
   * Opens the fragment with this number, sent under this MKV header. No number may be given twice
   * within a stream, to whichever writer: what is sealed is sealed under the number.
   */
  begin(header: Uint8Array, number: bigint): void;
  /** Adds bytes of the open fragment; keeps a view of them. */
  append(bytes: Uint8Array): void;
  /** By how much `append` of so many bytes makes less room, in all. */
  growth(bytes: number): number;
  /** Bytes that wait to be written. */
  backlog(): number;
  /** Resolves when nothing waits to be written; rejects when the disk failed. */
  drained(): Promise<void>;
  /**
   * Ends the open fragment, which must have the number of `meta`. Resolves when it is readable,
   * and durable when so asked.
   */
  commit(meta: FragmentMeta, tags: Uint8Array, durability: Durability): Promise<FragmentRecord>;
  /** Throws the open fragment away; nothing happens without one. */
  abort(): void;
  /** Gives the file back. Commits that are under way go on. */
  close(): Promise<void>;
}

/** Gives the key that a stream's fragments are sealed under; rejects where it may not be used. @internal */
export type KeySource = () => Promise<DataKey>;

/** Reads fragments of one stream; keeps at most one file open. @internal */
export interface FragmentReader {
  /** The MKV header of a fragment. Throws `FragmentDamagedError` when it is gone or changed. */
  header(record: FragmentRecord): Promise<Uint8Array>;
  /** The producer's own tags of a fragment, verified. */
  tags(record: FragmentRecord): Promise<Uint8Array>;
  /**
   * The cluster's bytes in pieces of at most `PIECE_BYTES`, each verified before it is given.
   * Throws `FragmentDamagedError` before the first byte that is not what was stored.
   */
  pieces(record: FragmentRecord): AsyncGenerator<Uint8Array, void, undefined>;
  close(): Promise<void>;
}

/** Thrown where stored bytes are missing or fail their checksum. @internal */
export class FragmentDamagedError extends Error {
  override readonly name: string = 'FragmentDamagedError';
}

/** What else is kept of a stream: its data key, wrapped, and its HLS sessions. @internal */
export type StreamItem = 'dataKey' | 'sessions';

/**
 * Keeps streams and their fragments. One process uses it at a time. Memory does not grow with
 * the number of fragments. @internal
 */
export interface FragmentStore {
  streams(): Promise<StreamRecord[]>;
  /** A stream id that was never used and never will be again. */
  newStreamId(): Promise<number>;
  /** Durable when it resolves. */
  putStream(record: StreamRecord): Promise<void>;
  /** Forgets the stream and all its media. */
  deleteStream(id: number): Promise<void>;
  /** Forgets the media of a stream. */
  clearStream(id: number): Promise<void>;
  /** The first of `count` sequence numbers that nobody was or will be given. */
  reserve(id: number, count: number): Promise<number>;
  /** A small value that belongs to a stream: durable when `putItem` resolves, gone with it. */
  item(id: number, name: StreamItem): Promise<Uint8Array | undefined>;
  putItem(id: number, name: StreamItem, value: Uint8Array): Promise<void>;
  /** Bytes of media that may still be written; Infinity without a quota, below 0 when over it. */
  room(): number;
  /** With a key, all that the writer is given is stored sealed. */
  openWriter(id: number, key?: DataKey): Promise<FragmentWriter>;
  /** `key` is asked for each sealed fragment; what was stored as sent needs none. */
  openReader(id: number, key?: KeySource): FragmentReader;
  byNumber(id: number, range: NumberRange): Promise<FragmentRecord[]>;
  byTime(id: number, range: TimeRange): Promise<FragmentRecord[]>;
  get(id: number, numbers: readonly bigint[]): Promise<(FragmentRecord | undefined)[]>;
  /** Frees fragments from the oldest on while `expired` says so; gives how many. */
  expire(id: number, expired: (record: FragmentRecord) => boolean): Promise<number>;
  /** Group commits so far. */
  flushes(): number;
  close(): Promise<void>;
}

/** Bytes that share one checksum. Part of the format on disk. @internal */
export const PIECE_BYTES: number = 256 * 1024;
