/**
 * Limits of the service, with the guide's names for things. Rates are calls a second, per stream
 * unless the name says account; sizes are bytes; times are milliseconds.
 */
export interface Limits {
  /** Connections at a time, those of all clients together. */
  readonly connections: number;
  /** Connections at a time from one address. */
  readonly connectionsPerAddress: number;
  /** Longest time that the answer of somebody who is refused again and again is held back. */
  readonly refusalDelay: number;
  /** Streams an account may have. */
  readonly streamsPerAccount: number;
  /** Tags a stream may have. */
  readonly tagsPerStream: number;
  /** Calls a second by one account of an operation that changes a stream. */
  readonly accountWriteRate: number;
  /** Calls a second by one account of DescribeStream, ListStreams, GetDataEndpoint and the like. */
  readonly accountReadRate: number;
  /** Calls a second of one operation on one stream. */
  readonly streamCallRate: number;
  /** Fragments a second on one stream; the service then reads slower (never an error). */
  readonly fragmentRate: number;
  /** Bytes a second that PutMedia reads from one connection. */
  readonly putMediaBytesPerSecond: number;
  /** Longest span of the block times of a fragment (4002); 10 s in the guide, longer today. */
  readonly fragmentDuration: number;
  /** Most bytes of a fragment (4001). */
  readonly fragmentBytes: number;
  /** Most tracks of a stream (4012). */
  readonly tracks: number;
  /** Most tags of a fragment (4009). */
  readonly fragmentTags: number;
  /** Whether every track must have a frame in each fragment (4011). */
  readonly framesForEveryTrack: boolean;
  /** Longest time a PutMedia connection stays open (4003). */
  readonly connectionDuration: number;
  /** Silence after which PutMedia is closed. */
  readonly idleClose: number;
  /** GetMedia readers of one stream at a time. */
  readonly getMediaReaders: number;
  /** Bytes a second that a reader is sent. */
  readonly getMediaBytesPerSecond: number;
  /** How long a reader may take nothing of what it is sent before its connection is closed. */
  readonly readerStall: number;
  /** Longest time a reader's connection stays open. */
  readonly readerDuration: number;
  /** GetMediaForFragmentList readers of one stream at a time. */
  readonly fragmentListReaders: number;
  /** Fragments that one GetMediaForFragmentList may name. */
  readonly fragmentsPerList: number;
  /** HLS sessions of one stream at a time; one more closes the oldest. */
  readonly hlsSessions: number;
  /** HLS sessions a second that a stream may be asked for in the long run. */
  readonly hlsSessionRate: number;
  /** How long a stream that retains nothing keeps fragments for readers. */
  readonly bufferDuration: number;
  /** How many bytes a stream that retains nothing keeps for readers. */
  readonly bufferBytes: number;
}

/**
 * The guide's values (limits of Kinesis Video Streams; PutMedia; GetMedia; CreateStream); those of
 * connections are this service's own, so that nobody can use up its memory and its files alone.
 */
export const GUIDE_LIMITS: Readonly<Limits> = {
  connections: 16_384,
  connectionsPerAddress: 1024,
  refusalDelay: 2000,
  streamsPerAccount: 100,
  tagsPerStream: 50,
  accountWriteRate: 50,
  accountReadRate: 300,
  streamCallRate: 5,
  fragmentRate: 5,
  putMediaBytesPerSecond: 12_500_000,
  fragmentDuration: 20_000,
  fragmentBytes: 50 * 1024 * 1024,
  tracks: 3,
  fragmentTags: 10,
  framesForEveryTrack: true,
  connectionDuration: 3_600_000,
  idleClose: 30_000,
  getMediaReaders: 3,
  getMediaBytesPerSecond: 25_000_000,
  readerStall: 60_000,
  readerDuration: 3_600_000,
  fragmentListReaders: 5,
  fragmentsPerList: 1000,
  hlsSessions: 5,
  hlsSessionRate: 1,
  bufferDuration: 300_000,
  bufferBytes: 200 * 1000 * 1000,
};

/** No limits but those that keep the service itself safe: buffers stay bounded. */
export const NO_LIMITS: Readonly<Limits> = {
  connections: Infinity,
  connectionsPerAddress: Infinity,
  refusalDelay: 0,
  streamsPerAccount: Infinity,
  tagsPerStream: 50,
  accountWriteRate: Infinity,
  accountReadRate: Infinity,
  streamCallRate: Infinity,
  fragmentRate: Infinity,
  putMediaBytesPerSecond: Infinity,
  fragmentDuration: Infinity,
  fragmentBytes: Infinity,
  tracks: Infinity,
  fragmentTags: Infinity,
  framesForEveryTrack: false,
  connectionDuration: Infinity,
  idleClose: 30_000,
  getMediaReaders: Infinity,
  getMediaBytesPerSecond: Infinity,
  readerStall: 60_000,
  readerDuration: Infinity,
  fragmentListReaders: Infinity,
  fragmentsPerList: 1000,
  hlsSessions: 1000,
  hlsSessionRate: Infinity,
  bufferDuration: 300_000,
  bufferBytes: 200 * 1000 * 1000,
};
