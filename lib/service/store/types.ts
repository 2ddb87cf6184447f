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
  readonly notification?: NotificationConfiguration | undefined;
  readonly images?: ImageGenerationConfiguration | undefined;
}

/** What becomes of notification events, in today's API's own words. @internal */
export interface NotificationConfiguration {
  readonly Status: 'ENABLED' | 'DISABLED';
  readonly DestinationConfig: { readonly Uri: string };
}

/** What becomes of image events, in today's API's own words. @internal */
export interface ImageGenerationConfiguration {
  readonly Status: 'ENABLED' | 'DISABLED';
  readonly ImageSelectorType: string;
  readonly DestinationConfig: { readonly Uri: string; readonly DestinationRegion: string };
  /** ms. */
  readonly SamplingInterval: number;
  readonly Format: string;
  readonly FormatConfig?: Readonly<Record<string, string>>;
  readonly WidthPixels?: number;
  readonly HeightPixels?: number;
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
  | 3
  /** Sealed or as sent, each part with its seal or checksum behind it. */
  | 4;

/** What a fragment's frames are like. @internal */
export interface FragmentFlags {
  /** It begins with a key frame of its first video track, or has none. */
  readonly keyStart: boolean;
  /** Frames are shown in another order than they come in. */
  readonly reordered: boolean;
  /** Blocks hold several frames, which the frame table does not tell apart. */
  readonly laced: boolean;
  /** It was cut off after parts of it were shown: it has no media. */
  readonly cut: boolean;
}

/** What a fragment's frames are, besides its media. @internal */
export interface FragmentDetail extends FragmentFlags {
  /** 16 bytes that name codecs and private data of its tracks: what a player must be told. */
  readonly configuration: Uint8Array;
  /** 8 bytes that name the PutMedia session. */
  readonly session: Uint8Array;
  readonly frames: number;
}

/** A seal, and what it authenticates. @internal */
export interface RecordSeal {
  readonly over: Uint8Array;
  readonly seal: Uint8Array;
}

/** A stored fragment: what it is, and where its bytes lie. @internal */
export interface FragmentRecord extends FragmentMeta, FragmentDetail {
  readonly layout: Layout;
  /** 16 bytes that name the MKV header it was sent under. */
  readonly headerId: Uint8Array;
  /** Where its bytes lie: for the store that gave it, at most 64 bytes. */
  readonly place: Uint8Array;
  /** Counts the stream's fragments in the order in which they were stored, from 1, without gaps. */
  readonly ordinal: number;
  /** Counts those whose producer time is above all before. */
  readonly liveOrdinal: number;
  /** Whether it is one of those. */
  readonly live: boolean;
  /** The greatest producer time of the stream so far, ms. */
  readonly latest: number;
  /** Gaps above 50 ms and changes of configuration so far, by server time and, of the live ones, by producer time. */
  readonly serverBreaks: number;
  readonly producerBreaks: number;
  /** Bytes of the Cluster as it was sent. */
  readonly clusterBytes: number;
  readonly tagsBytes: number;
  /** Bytes that are stored of it behind its record; layout 4. */
  readonly storedBytes: number;
  /** Bytes of its frame table; 0 where there is none. */
  readonly tableBytes: number;
  /** CRC-32 of the tags as they are stored; layouts 1 to 3. */
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

/** A range of ordinals; all bounds are optional. @internal */
export interface OrdinalRange {
  readonly from?: number;
  /** Ordinals from here on are left out. */
  readonly before?: number;
  readonly limit: number;
  readonly order?: 'ascending' | 'descending';
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
  byOrdinal(id: number, range: OrdinalRange): Promise<FragmentRecord[]>;
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
  readonly detail: FragmentDetail;
  /** Bytes of the Cluster before sealing. */
  readonly clusterBytes: number;
  /** CRC-32 of each piece as it is stored; none where they are sealed. */
  readonly sums: readonly number[];
  /** Bytes of the tags before sealing. */
  readonly tagsBytes: number;
  readonly tags: Uint8Array;
  /** Bytes of the frame table before sealing. */
  readonly tableBytes: number;
  readonly table: Uint8Array;
  /** Seals what the store says of the fragment; undefined: it is stored as it was sent. */
  readonly seal: ((over: Uint8Array) => Uint8Array) | undefined;
}

/**
 * Takes the fragments of one connection, one after the other. Between `begin` and `commit` or
 * `abort` one fragment is open. The writer keeps the arrays given to `append` until written.
 * @internal
 */
export interface MediaWriter {
  /** How it wants what it stores: sealed by format 3, or 4. */
  readonly layout: 3 | 4;
  /** Bytes that will certainly be appended to the open fragment; `room` counts them. */
  due: number;
  /**
   * Opens the fragment with this number, which the lease gave. No number may be given twice within
   * a stream, to whichever writer: what is sealed is sealed under the number.
   */
  begin(number: bigint, lease: LeaseToken, header: StoredHeader): void;
  /** By how much `begin` under this header makes less room. */
  growthToBegin(header: StoredHeader): number;
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

/** What is stored of a fragment besides its Cluster. @internal */
export type MediaPart = 'tags' | 'table' | 'header';

/** Reads stored bytes of one stream; keeps at most one file open. @internal */
export interface MediaReader {
  /** Stored bytes of a fragment's Cluster from `from` on; undefined where they are not all there. */
  read(record: FragmentRecord, from: number, length: number): Promise<Uint8Array | undefined>;
  /** One of its parts as it is stored; undefined where it is lost. */
  part(record: FragmentRecord, part: MediaPart): Promise<Uint8Array | undefined>;
  /** Whether what is stored beside its Cluster says the same of it as the index. */
  agrees(record: FragmentRecord): Promise<boolean>;
  /** Where those bytes lie, for a person. */
  where(record: FragmentRecord, from: number): string;
  close(): Promise<void>;
}

/** What a fragment is when nobody said it. @internal */
export const NO_DETAIL: Readonly<FragmentDetail> = {
  ...{ keyStart: false, reordered: false, laced: false, cut: false, frames: 0 },
  configuration: new Uint8Array(16),
  session: new Uint8Array(8),
};

/** The bytes of fragments. @internal */
export interface MediaStore {
  openWriter(id: number): Promise<MediaWriter>;
  openReader(id: number): MediaReader;
  /**
   * Bytes of media that may still be written, by quota and disk, as far as is known: what
   * `lookForRoom` found, and what was written since. Below 0 when there are too many.
   */
  room(): number;
  /** Resolves when `room` tells how it is now. */
  lookForRoom(): Promise<void>;
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
