import type {
  BufferDurationOverflowPressureEvent,
  ClientErrorReportEvent,
  ClientReadyEvent,
  DroppedFragmentReportEvent,
  DroppedFrameReportEvent,
  FragmentAckReceivedEvent,
  FragmentCutReportEvent,
  SessionEndedEvent,
  SkippedFramesReportEvent,
  StorageOverflowPressureEvent,
  StreamClosedEvent,
  StreamConnectionStaleEvent,
  StreamDataAvailableEvent,
  StreamErrorReportEvent,
  StreamLatencyPressureEvent,
  StreamReadyEvent,
  StreamStateChangedEvent,
  StreamUnderflowReportEvent,
  TimelineChangedEvent,
} from '../generated/events.js';

/** The stream that a callback is about: the `KinesisVideoStream` itself. */
export interface StreamHandle {
  readonly name: string;
}

/**
 * What a callback may answer. It is not waited for; one that throws or rejects is reported to the
 * logger and harms nothing.
 */
export type CallbackResult = void | PromiseLike<void>;

/**
 * Callbacks about the producer as a whole (guide: ClientCallbackProvider). All are optional, and
 * are called after the call that caused them has returned.
 */
export interface ClientCallbackProvider {
  /** The producer has credentials and may open streams; once. */
  clientReady?(event: ClientReadyEvent): CallbackResult;
  /** Less than 5 % of the storage is free. Once until there is room again. */
  storageOverflowPressure?(event: StorageOverflowPressureEvent): CallbackResult;
  /** Getting credentials fails again and again; it is tried on. */
  clientErrorReport?(event: ClientErrorReportEvent): CallbackResult;
}

/**
 * Callbacks about one stream (guide: StreamCallbackProvider). All are optional, and are called
 * after the call that caused them has returned.
 */
export interface StreamCallbackProvider {
  /** A fragment left the buffer without having been acknowledged, whole. */
  droppedFragmentReport?(stream: StreamHandle, event: DroppedFragmentReportEvent): CallbackResult;
  /** A single frame left the buffer without having been acknowledged. */
  droppedFrameReport?(stream: StreamHandle, event: DroppedFrameReportEvent): CallbackResult;
  /** The service acknowledged a fragment: buffering, received, persisted, or an error. */
  fragmentAckReceived?(stream: StreamHandle, event: FragmentAckReceivedEvent): CallbackResult;
  /** A stopped stream has sent its last fragment and the service keeps it. */
  streamClosed?(stream: StreamHandle, event: StreamClosedEvent): CallbackResult;
  /** Data are being sent, and no ack has come for `connectionStaleness`. */
  streamConnectionStale?(stream: StreamHandle, event: StreamConnectionStaleEvent): CallbackResult;
  /** There is something to send in a session that had sent everything. */
  streamDataAvailable?(stream: StreamHandle, event: StreamDataAvailableEvent): CallbackResult;
  /** A service call has failed five times, or the service refused a fragment; it is tried on. */
  streamErrorReport?(stream: StreamHandle, event: StreamErrorReportEvent): CallbackResult;
  /** More than `maxLatency` of media waits to be sent. */
  streamLatencyPressure?(stream: StreamHandle, event: StreamLatencyPressureEvent): CallbackResult;
  /** The stream can be streamed to: it exists, and its endpoint and token are known. */
  streamReady?(stream: StreamHandle, event: StreamReadyEvent): CallbackResult;
  /** A session had nothing to send. */
  streamUnderflowReport?(stream: StreamHandle, event: StreamUnderflowReportEvent): CallbackResult;
  /** Less than 5 % of `bufferDuration` is free. */
  bufferDurationOverflowPressure?(
    stream: StreamHandle,
    event: BufferDurationOverflowPressureEvent,
  ): CallbackResult;
  /** Frames before the first key frame were passed over; once, with their number. */
  skippedFramesReport?(stream: StreamHandle, event: SkippedFramesReportEvent): CallbackResult;
  /** No key frame came in time, so a fragment was cut at another frame; once. */
  fragmentCutReport?(stream: StreamHandle, event: FragmentCutReportEvent): CallbackResult;
  /** Media time has jumped; what follows stands on a new timeline. */
  timelineChanged?(stream: StreamHandle, event: TimelineChangedEvent): CallbackResult;
  /** A PutMedia session is over. */
  sessionEnded?(stream: StreamHandle, event: SessionEndedEvent): CallbackResult;
  /** The stream's machine went from one state to another (`STREAM_STATE`). */
  streamStateChanged?(stream: StreamHandle, event: StreamStateChangedEvent): CallbackResult;
}
