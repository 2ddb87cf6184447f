/* The seams of what the service keeps: four interfaces, each of which may be on one disk, in memory
   or on several machines. Nothing here knows keys: what is sealed comes sealed and goes sealed. */

/** What the service knows of a stream besides its media. Times are ms since 1970. @internal */
export interface StreamRecord {
  /** Names the stream in the store; never used twice. */
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

/** How a fragment's bytes are stored, by the version of the format that it was stored in. @internal */
export type Layout =
  /** As sent, with checksums in the index. */
  | 1
  /** Sealed, with checksums in the index besides. */
  | 2
  /** Sealed. */
  | 3;

/** A seal, and what it authenticates. @internal */
export interface RecordSeal {
  readonly over: Uint8Array;
  readonly seal: Uint8Array;
}

/** A stored fragment: what it is, and where its bytes lie. @internal */
export interface FragmentRecord extends FragmentMeta {
  readonly layout: Layout;
  /** 16 bytes that name the MKV header it was sent under. */
  readonly headerId: Uint8Array;
  /** Where its bytes lie: for the store that gave it, at most 64 bytes. */
  readonly place: Uint8Array;
  /** Bytes of the Cluster as it was sent. */
  readonly clusterBytes: number;
  readonly tagsBytes: number;
  /** CRC-32 of the tags as they are stored. */
  readonly tagsSum: number;
  /** CRC-32 of each piece of the cluster, in order; layouts 1 and 2. */
  readonly sums: readonly number[];
  /** Authenticates this record; undefined where the fragment is stored as it was sent. */
  readonly sealed?: RecordSeal;
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

/** Which fragments go: all up to the last one that is older. @internal */
export type ExpireBound =
  | { readonly kind: 'number'; readonly before: bigint }
  /**
   * Server times, ms. With a fragment all go whose numbers are lower, whatever their times say: a
   * clock that was ahead for a while must not keep them.
   */
  | { readonly kind: 'server'; readonly before: number };

/** When `commit` resolves: with the bytes and index entry flushed, or only handed over. @internal */
export type Durability = 'flushed' | 'buffered';

/** Thrown where stored bytes are missing or fail their checksum. @internal */
export class FragmentDamagedError extends Error {
  override readonly name: string = 'FragmentDamagedError';
}

/** What else is kept of a stream: its data key, wrapped, and its HLS sessions. @internal */
export type StreamItem = 'dataKey' | 'sessions';

/** The streams, and small values of theirs. What resolved is durable. @internal */
export interface Catalog {
  streams(): Promise<StreamRecord[]>;
  /** A stream id that was never used and never will be again. */
  newStreamId(): Promise<number>;
  /**
   * Stores a stream. `since`: the version that it must have now; undefined: there must be none.
   * Resolves false, and changes nothing, where that is not so.
   */
  putStream(record: StreamRecord, since: string | undefined): Promise<boolean>;
  /** Forgets the stream and all its media; what a crash leaves of them goes at the next start. */
  deleteStream(id: number): Promise<void>;
  /** A small value that belongs to a stream and is gone with it. */
  item(id: number, name: StreamItem): Promise<Uint8Array | undefined>;
  /** Puts `after` in the place of `before`; resolves false, and changes nothing, where that is not there. */
  swapItem(
    id: number,
    name: StreamItem,
    before: Uint8Array | undefined,
    after: Uint8Array,
  ): Promise<boolean>;
}

/** Which fragments there are. Memory does not grow with their number. @internal */
export interface FragmentIndex {
  byNumber(id: number, range: NumberRange): Promise<FragmentRecord[]>;
  /** Fewer than `limit` only where there are no more. */
  byTime(id: number, range: TimeRange): Promise<FragmentRecord[]>;
  /** Also tells what became of a commit whose outcome is not known. */
  get(id: number, numbers: readonly bigint[]): Promise<(FragmentRecord | undefined)[]>;
  /** Frees fragments from the oldest on; gives how many. */
  expire(id: number, bound: ExpireBound): Promise<number>;
}

/** An MKV header as it is to be stored. @internal */
export interface StoredHeader {
  /** 16 bytes. Two headers with one name are the same. */
  readonly id: Uint8Array;
  readonly bytes: Uint8Array;
}

/** A whole fragment as it is to be stored. @internal */
export interface WholeMedia {
  readonly meta: FragmentMeta;
  /** Bytes of the Cluster before sealing. */
  readonly clusterBytes: number;
  /** CRC-32 of each piece as it is stored; none where they are sealed. */
  readonly sums: readonly number[];
  /** Bytes of the tags before sealing. */
  readonly tagsBytes: number;
  readonly tags: Uint8Array;
  /** Seals what the store says of the fragment; undefined: it is stored as it was sent. */
  readonly seal: ((over: Uint8Array) => Uint8Array) | undefined;
}

/**
 * Takes the fragments of one connection, one after the other. Between `begin` and `commit` or
 * `abort` one fragment is open. The writer keeps the arrays given to `append` until written.
 * @internal
 */
export interface MediaWriter {
  /** Bytes that will certainly be appended to the open fragment; `room` counts them. */
  due: number;
  /**
   * Opens the fragment with this number, which the lease gave. No number may be given twice within
   * a stream, to whichever writer: what is sealed is sealed under the number.
   */
  begin(number: bigint, lease: LeaseToken, header: StoredHeader): void;
  /** Adds bytes of the Cluster as they are to be stored; keeps a view of them. */
  append(bytes: Uint8Array): void;
  /** Bytes that wait to be written. */
  backlog(): number;
  /** Resolves when nothing waits to be written; rejects when the disk failed. */
  drained(): Promise<void>;
  /**
   * Ends the open fragment, which must have the number of `meta`. Resolves when it is readable,
   * and durable when so asked. Where it rejects, `FragmentIndex.get` tells what became of it.
   */
  commit(whole: WholeMedia, durability: Durability): Promise<FragmentRecord>;
  /** Throws the open fragment away; nothing happens without one. */
  abort(): void;
  /** Gives the place back. Commits that are under way go on. */
  close(): Promise<void>;
}

/** Reads stored bytes of one stream; keeps at most one file open. @internal */
export interface MediaReader {
  /** Stored bytes of a fragment's Cluster from `from` on; undefined where they are not all there. */
  read(record: FragmentRecord, from: number, length: number): Promise<Uint8Array | undefined>;
  /** Its tags or its header as they are stored; undefined where they are lost. */
  part(record: FragmentRecord, part: 'tags' | 'header'): Promise<Uint8Array | undefined>;
  /** Where those bytes lie, for a person. */
  where(record: FragmentRecord, from: number): string;
  close(): Promise<void>;
}

/** The bytes of fragments. @internal */
export interface MediaStore {
  openWriter(id: number): Promise<MediaWriter>;
  openReader(id: number): MediaReader;
  /** Bytes of media that may still be written; Infinity without a quota, below 0 when over it. */
  room(): number;
  /** Group commits so far. */
  flushes(): number;
}

/** Shows that its holder owns a stream. @internal */
export interface LeaseToken {
  readonly stream: number;
  /** Grows with every owner. */
  readonly epoch: number;
}

/** What the owner of a stream may do. @internal */
export interface Lease extends LeaseToken {
  /** Resolves when numbers can be given. */
  ready(): Promise<void>;
  /**
   * A new fragment's number, in the form that the service of AWS gives:
   * `1 << 156 | sequence << 92 | server time in ms << 28 | 28 random bits`.
   */
  openNumber(serverTime: number): bigint;
  /** The fragment can be read now. */
  readable(fragment: Pick<FragmentMeta, 'number' | 'serverTime'>): void;
  /** The fragment can be read now, or never will be. */
  closeNumber(number: bigint): void;
}

/** What readers of a stream's end are told. @internal */
export interface Tail {
  /** Grows with every fragment that became readable. */
  readonly version: number;
  /** The newest fragment that became readable since the start; undefined before the first. */
  readonly newest: Pick<FragmentMeta, 'number' | 'serverTime'> | undefined;
  /** Readers must not go past this number: what lies before it may still come. */
  horizon(): bigint | undefined;
  /** Resolves when `version` is no longer the one given, or when the signal aborts. */
  newerThan(version: number, signal: AbortSignal): Promise<void>;
  /** Wakes all that wait. */
  wake(): void;
}

/** The ends of streams: who gives numbers, how far readers may go, what is new. @internal */
export interface LiveTail {
  /** The stream's lease of this process, which becomes its owner where it is not. */
  lease(id: number): Lease;
  tail(id: number): Tail;
}

/** All that the service keeps. @internal */
export interface FragmentStore {
  readonly catalog: Catalog;
  readonly index: FragmentIndex;
  readonly media: MediaStore;
  readonly live: LiveTail;
  close(): Promise<void>;
}

/** Bytes that share one checksum. Part of the format on disk. @internal */
export const PIECE_BYTES: number = 256 * 1024;
