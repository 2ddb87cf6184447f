import type { StatusName } from '../generated/status.js';

/** The producer is ready. */
export interface ClientReadyReport {
  /** Since the producer was created, ms. */
  readonly uptime: number;
}

/** A client call fails again and again. */
export interface ClientErrorReport {
  /** Which call, for example STATUS_CLIENT_AUTH_CALL_FAILED. */
  readonly status: StatusName;
  /** Result of the last attempt: an HTTP status, or one of `CALL_RESULT`. */
  readonly result: number;
  /** Failures in a row. */
  readonly attempts: number;
  /** What failed last, in words, and the error underneath. */
  readonly message?: string | undefined;
  readonly cause?: unknown;
}

/** The storage is almost full. */
export interface StorageOverflowPressure {
  /** Bytes that are free. */
  readonly remaining: number;
}

/** The stream's machine went from one state to another. */
export interface StreamStateChange {
  readonly from: StreamStateName;
  readonly to: StreamStateName;
}

/** States of a stream's machine (guide: stream states). */
export type StreamStateName =
  | 'NEW'
  | 'DESCRIBE'
  | 'CREATE'
  | 'TAG_STREAM'
  | 'GET_ENDPOINT'
  | 'GET_TOKEN'
  | 'READY'
  | 'PUT_STREAM'
  | 'STREAMING'
  | 'STOPPED';

/** The stream can be streamed to. */
export interface StreamReadyReport {
  /** Since the stream was created, ms. */
  readonly uptime: number;
}

/** A session that had sent everything has something to send again. */
export interface StreamDataAvailable {
  readonly session: number;
  /** Media that wait, ms. */
  readonly duration: number;
  readonly bytes: number;
}

/** A stopped stream holds nothing any more. */
export interface StreamClosedReport {
  readonly session: number;
  /** STATUS_SUCCESS unless something was dropped. */
  readonly status: StatusName | 'STATUS_SUCCESS';
  /** Frames dropped since stop was called. */
  readonly dropped: number;
}

/** A call fails again and again, or the service refused a fragment. */
export interface StreamErrorReport {
  readonly session: number;
  /** Time of the fragment that was refused, ms; 0 where none is meant. */
  readonly timecode: number;
  readonly status: StatusName;
  /** Result of the last attempt: an HTTP status, or one of `CALL_RESULT`; the ErrorId of an error ack. */
  readonly result: number;
  /** Failures in a row. */
  readonly attempts: number;
  /** What failed last, in words, and the error underneath; where it was a call of the producer. */
  readonly message?: string | undefined;
  readonly cause?: unknown;
}

/** No ack has come for a while, though data are being sent. */
export interface StreamConnectionStale {
  readonly session: number;
  /** Time without an ack, ms. */
  readonly since: number;
}

/** Sending lags behind. */
export interface StreamLatencyPressure {
  /** Media that wait to be sent, ms. */
  readonly duration: number;
}

/** A session has nothing to send. */
export interface StreamUnderflowReport {
  readonly session: number;
}

/** The buffer's window is almost full. */
export interface BufferDurationOverflowPressure {
  /** Media that still fit, ms. */
  readonly remaining: number;
}

/** A frame was dropped. */
export interface DroppedFrameReport {
  /** Presentation time, ms. */
  readonly timecode: number;
  /** `TrackInfo.trackId`, a number. */
  readonly trackId: number;
  readonly bytes: number;
  readonly reason: StatusName;
}

/** A fragment was dropped. */
export interface DroppedFragmentReport {
  /** Presentation times of its begin and end, ms. */
  readonly timecode: number;
  readonly end: number;
  readonly frames: number;
  readonly bytes: number;
  /** Whether it had been sent and only its ack was missing. */
  readonly sent: boolean;
  readonly reason: StatusName;
}

/** Frames before the first key frame were passed over. */
export interface SkippedFramesReport {
  readonly frames: number;
  /** Presentation time of the first, ms. */
  readonly timecode: number;
}

/** Types of acks (guide: PutMedia acknowledgements). */
export type FragmentAckType = 'BUFFERING' | 'RECEIVED' | 'PERSISTED' | 'ERROR' | 'IDLE';

/** The service acknowledged a fragment. */
export interface FragmentAck {
  readonly type: FragmentAckType;
  /** The fragment's cluster time as sent, ms. */
  readonly timecode: number;
  /** The service's number of the fragment; empty where it sent none. */
  readonly fragmentNumber: string;
  readonly session: number;
  /** ErrorId of an ERROR ack, 4000 and up; else 0. */
  readonly errorId: number;
  /** The status of an ERROR ack; else STATUS_SUCCESS. */
  readonly status: StatusName | 'STATUS_SUCCESS';
  /** Whether a fragment in the buffer was meant. */
  readonly matched: boolean;
}

/** No key frame has come for 10 s of media or of time. Nothing can be sent before one. */
export interface KeyFrameMissingReport {
  /** Presentation time of the first frame that was passed over, ms. */
  readonly timecode: number;
  /** Frames passed over so far. */
  readonly frames: number;
  /** For how long they have been coming, ms. */
  readonly duration: number;
}

/**
 * A track of H.264 or H.265 goes out without codec private data: none were given, and no parameter
 * sets (SPS, PPS; VPS) were found in its frames. No decoder can show it.
 */
export interface CodecPrivateMissingReport {
  /** Presentation time from which on, ms. */
  readonly timecode: number;
  /** Number of the track. */
  readonly trackId: number;
}

/**
 * No key frame came in time: the next fragment begins without one. Set `maxFragmentDuration` up to 20 s or
 * a shorter GOP on the camera.
 */
export interface FragmentCutReport {
  /** Presentation time of the frame before which it was cut: the next fragment's begin, ms. */
  readonly timecode: number;
  /** Of the fragment that was cut off, ms. */
  readonly duration: number;
  /** Of the fragment that was cut off, bytes. */
  readonly bytes: number;
}

/** Media time has jumped. */
export interface TimelineChange {
  /** Decoding time of the frame before, ms. */
  readonly from: number;
  /** Decoding time of the frame that jumped, ms. */
  readonly to: number;
}

/** A PutMedia session is over. */
export interface SessionEndedReport {
  readonly session: number;
  /** STATUS_SUCCESS when it was ended in order. */
  readonly status: StatusName | 'STATUS_SUCCESS';
  /** HTTP status of the answer, or one of `CALL_RESULT`. */
  readonly result: number;
}
