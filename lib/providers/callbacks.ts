import type {
  BufferDurationOverflowPressure,
  ClientErrorReport,
  ClientReadyReport,
  CodecPrivateMissingReport,
  DroppedFragmentReport,
  DroppedFrameReport,
  FragmentAck,
  FragmentCutReport,
  KeyFrameMissingReport,
  SessionEndedReport,
  SkippedFramesReport,
  StorageOverflowPressure,
  StreamClosedReport,
  StreamConnectionStale,
  StreamDataAvailable,
  StreamErrorReport,
  StreamLatencyPressure,
  StreamReadyReport,
  StreamStateChange,
  StreamUnderflowReport,
  TimelineChange,
} from './reports.js';

/** The stream that a callback is about: the `KinesisVideoStream` itself. */
export interface StreamHandle {
  readonly name: string;
}

/**
 * What a callback may answer. It is not waited for; one that throws or rejects is reported to the
 * logger and harms nothing.
 */
export type CallbackResult = unknown;

/**
 * Callbacks about the producer as a whole (guide: ClientCallbackProvider). All are optional, and
 * are called after the call that caused them has returned.
 */
export interface ClientCallbackProvider {
  /** The producer has credentials and may open streams; once. */
  clientReady?(report: ClientReadyReport): CallbackResult;
  /** Less than 5 % of the storage is free; at most once a second. */
  storageOverflowPressure?(report: StorageOverflowPressure): CallbackResult;
  /** Getting credentials fails again and again; it is tried on. */
  clientErrorReport?(report: ClientErrorReport): CallbackResult;
}

/**
 * Callbacks about one stream (guide: StreamCallbackProvider). All are optional, and are called
 * after the call that caused them has returned. Each gets the stream itself: where a producer takes
 * them, `S` is its `KinesisVideoStream`.
 */
export interface StreamCallbackProvider<S extends StreamHandle = StreamHandle> {
  /** A fragment left the buffer without having been acknowledged. */
  droppedFragmentReport?(report: DroppedFragmentReport, stream: S): CallbackResult;
  /** A single frame left the buffer without having been acknowledged. */
  droppedFrameReport?(report: DroppedFrameReport, stream: S): CallbackResult;
  /** The service acknowledged a fragment: buffering, received, persisted, or an error. */
  fragmentAckReceived?(ack: FragmentAck, stream: S): CallbackResult;
  /** A stopped stream has sent its last fragment and the service keeps it. */
  streamClosed?(report: StreamClosedReport, stream: S): CallbackResult;
  /** Data are being sent, and no ack has come for `connectionStaleness`. */
  streamConnectionStale?(report: StreamConnectionStale, stream: S): CallbackResult;
  /** There is something to send in a session that had sent everything. */
  streamDataAvailable?(report: StreamDataAvailable, stream: S): CallbackResult;
  /** A service call has failed five times, or the service refused a fragment; it is tried on. */
  streamErrorReport?(report: StreamErrorReport, stream: S): CallbackResult;
  /** More than `maxLatency` of media waits to be sent; at most once a second. */
  streamLatencyPressure?(report: StreamLatencyPressure, stream: S): CallbackResult;
  /** The stream can be streamed to: it exists, and its endpoint and token are known. */
  streamReady?(report: StreamReadyReport, stream: S): CallbackResult;
  /** A session had nothing to send. */
  streamUnderflowReport?(report: StreamUnderflowReport, stream: S): CallbackResult;
  /** Less than 5 % of `bufferDuration` is free; at most once a second. */
  bufferDurationOverflowPressure?(
    report: BufferDurationOverflowPressure,
    stream: S,
  ): CallbackResult;
  /** Frames before the first key frame were passed over; once, with their number. */
  skippedFramesReport?(report: SkippedFramesReport, stream: S): CallbackResult;
  /** No key frame has come for 10 s, and all frames meanwhile were passed over; once, until one comes. */
  keyFrameMissingReport?(report: KeyFrameMissingReport, stream: S): CallbackResult;
  /** H.264 or H.265 goes out without the codec private data that decoders need; once a track. */
  codecPrivateMissingReport?(report: CodecPrivateMissingReport, stream: S): CallbackResult;
  /** No key frame came in time, so a fragment was cut at another frame; once. */
  fragmentCutReport?(report: FragmentCutReport, stream: S): CallbackResult;
  /** Media time has jumped; what follows stands on a new timeline. */
  timelineChanged?(change: TimelineChange, stream: S): CallbackResult;
  /** A PutMedia session is over. */
  sessionEnded?(report: SessionEndedReport, stream: S): CallbackResult;
  /** The stream's machine went from one state to another. */
  streamStateChanged?(change: StreamStateChange, stream: S): CallbackResult;
}
