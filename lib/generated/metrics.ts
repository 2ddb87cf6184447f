// Made by tools/generate.mjs from native/include/kvs/metrics.def. Do not edit.

/** Figures of a client (guide: ClientMetrics). */
export interface ClientMetrics {
  /** Size of the storage, as `storageSize` chose it. In bytes. */
  readonly contentStoreSize: number;
  /** What is free in it, in whole pages of 16 KiB. In bytes. */
  readonly contentStoreAvailableSize: number;
  /** What is in use of it: media, stream objects and book-keeping. In bytes. */
  readonly contentStoreAllocatedSize: number;
  /** Media of all streams that wait for their acks. They lie in the storage, and count there too. In bytes. */
  readonly totalContentViewsSize: number;
  /** Frames put a second, all streams together. */
  readonly totalFrameRate: number;
  /** Bytes sent a second, all streams together. In bytes. */
  readonly totalTransferRate: number;
  /** Frames a second of media time, all streams together. */
  readonly totalElementaryFrameRate: number;
  /** Streams that the client has. */
  readonly streams: number;
  /** Service calls made again, those of all its streams included. */
  readonly apiCallRetries: number;
}

/** Figures of a stream (guide: StreamMetrics). */
export interface StreamMetrics {
  /** Media that wait to be sent. In ms. */
  readonly currentViewDuration: number;
  /** Media in the buffer: sent and not yet acknowledged, and still to send. In ms. */
  readonly overallViewDuration: number;
  /** The bytes of the media that wait to be sent. In bytes. */
  readonly currentViewSize: number;
  /** The bytes of the media in the buffer. In bytes. */
  readonly overallViewSize: number;
  /** Frames put a second, over the last second or more; none without recalculateMetrics. */
  readonly currentFrameRate: number;
  /** Bytes sent a second, over the same time. In bytes. */
  readonly currentTransferRate: number;
  /** Since the stream was created. In ms. */
  readonly uptime: number;
  /** Bytes handed to sessions so far, what was sent again included. In bytes. */
  readonly transferredBytes: number;
  /** PutMedia sessions so far. */
  readonly totalSessions: number;
  /** 1 while a session is open, else 0. */
  readonly totalActiveSessions: number;
  /** Mean length of the sessions so far, the open one included. In ms. */
  readonly avgSessionDuration: number;
  /** Buffering acks so far. */
  readonly bufferedAcks: number;
  /** Received acks so far. */
  readonly receivedAcks: number;
  /** Persisted acks so far. */
  readonly persistedAcks: number;
  /** Error acks so far. */
  readonly errorAcks: number;
  /** Idle acks so far. */
  readonly idleAcks: number;
  /** Acks for no fragment in the buffer, so far. */
  readonly unmatchedAcks: number;
  /** Frames put so far, refused and skipped ones not counted. */
  readonly totalFrames: number;
  /** Frames that left the buffer without their ack, those of dropped fragments included. */
  readonly droppedFrames: number;
  /** Fragments that left the buffer without their ack. */
  readonly droppedFragments: number;
  /** Frames before a first key frame, passed over. */
  readonly skippedFrames: number;
  /** Fragment times moved by one unit, since two were equal. */
  readonly mendedTimecodes: number;
  /** Jumps of media time, each of which began a new session. */
  readonly timelineChanges: number;
  /** Times that storageOverflowPressure was told. */
  readonly storagePressures: number;
  /** Times that streamLatencyPressure was told. */
  readonly latencyPressures: number;
  /** Times that bufferDurationOverflowPressure was told. */
  readonly bufferPressures: number;
  /** Connections given up because acks stayed away. */
  readonly staleEvents: number;
  /** Frames refused with an error. */
  readonly putFrameErrors: number;
  /** Errors reported with streamErrorReport. */
  readonly errors: number;
  /** Service calls of the stream made again. */
  readonly apiCallRetries: number;
  /** From a call of the control plane, or for a token, to its answer; smoothed over the last few. In ms. */
  readonly cplApiCallLatency: number;
  /** From the call that opens a session to its answer; smoothed over the last few. In ms. */
  readonly dataApiCallLatency: number;
  /** From the first byte taken of a fragment to its Buffering ack; smoothed over the last few. In ms. */
  readonly bufferingLatency: number;
  /** From the last byte taken of a fragment to its Received ack; smoothed over the last few. In ms. */
  readonly receivedLatency: number;
  /** From the last byte taken of a fragment to its Persisted ack; smoothed over the last few. In ms. */
  readonly persistedLatency: number;
  /** Since a fragment was last freed by its ack; since the stream was created, before the first. In ms. */
  readonly sincePersisted: number;
  /** Frames a second of media time, over the last second or more. */
  readonly elementaryFrameRate: number;
  /** Number of the state; `stream.state` has its name. */
  readonly state: number;
  /** Frames in the buffer. */
  readonly bufferedFrames: number;
  /** Fragments in the buffer. */
  readonly bufferedFragments: number;
}
