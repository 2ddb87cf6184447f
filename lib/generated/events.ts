// Made by tools/generate.mjs from native/include/kvs/events.def. Do not edit.

export interface GetSecurityTokenEvent {
  readonly type: 'getSecurityToken';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly call: number;
  /** ms */
  readonly timeout: number;
}

export interface CreateDeviceEvent {
  readonly type: 'createDevice';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly call: number;
  /** ms */
  readonly timeout: number;
}

export interface DescribeStreamEvent {
  readonly type: 'describeStream';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly call: number;
  /** ms */
  readonly timeout: number;
}

export interface CreateStreamEvent {
  readonly type: 'createStream';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly call: number;
  /** ms */
  readonly timeout: number;
}

export interface TagResourceEvent {
  readonly type: 'tagResource';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly call: number;
  /** ms */
  readonly timeout: number;
}

export interface GetStreamingEndpointEvent {
  readonly type: 'getStreamingEndpoint';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly call: number;
  /** ms */
  readonly timeout: number;
}

export interface GetStreamingTokenEvent {
  readonly type: 'getStreamingToken';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly call: number;
  /** ms */
  readonly timeout: number;
}

export interface PutStreamEvent {
  readonly type: 'putStream';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly call: number;
  /** ms */
  readonly timeout: number;
  /** number */
  readonly session: number;
  /** ms */
  readonly start: number;
  /** 0 or 1 */
  readonly absolute: boolean;
  /** 0 or 1 */
  readonly acks: boolean;
}

export interface AbortStreamEvent {
  readonly type: 'abortStream';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly session: number;
  /** status code */
  readonly status: number;
}

export interface ClientReadyEvent {
  readonly type: 'clientReady';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** ms */
  readonly uptime: number;
}

export interface ClientErrorReportEvent {
  readonly type: 'clientErrorReport';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** status code */
  readonly status: number;
  /** number */
  readonly result: number;
  /** count */
  readonly attempts: number;
}

export interface StorageOverflowPressureEvent {
  readonly type: 'storageOverflowPressure';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** bytes */
  readonly remaining: number;
}

export interface StreamStateChangedEvent {
  readonly type: 'streamStateChanged';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly from: number;
  /** number */
  readonly to: number;
}

export interface StreamReadyEvent {
  readonly type: 'streamReady';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** ms */
  readonly uptime: number;
}

export interface StreamDataAvailableEvent {
  readonly type: 'streamDataAvailable';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly session: number;
  /** ms */
  readonly duration: number;
  /** bytes */
  readonly bytes: number;
}

export interface StreamClosedEvent {
  readonly type: 'streamClosed';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly session: number;
  /** status code */
  readonly status: number;
  /** count */
  readonly dropped: number;
}

export interface StreamErrorReportEvent {
  readonly type: 'streamErrorReport';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly session: number;
  /** ms */
  readonly timecode: number;
  /** status code */
  readonly status: number;
  /** number */
  readonly result: number;
  /** count */
  readonly attempts: number;
}

export interface StreamConnectionStaleEvent {
  readonly type: 'streamConnectionStale';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly session: number;
  /** ms */
  readonly since: number;
}

export interface StreamLatencyPressureEvent {
  readonly type: 'streamLatencyPressure';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** ms */
  readonly duration: number;
}

export interface StreamUnderflowReportEvent {
  readonly type: 'streamUnderflowReport';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly session: number;
}

export interface BufferDurationOverflowPressureEvent {
  readonly type: 'bufferDurationOverflowPressure';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** ms */
  readonly remaining: number;
}

export interface DroppedFrameReportEvent {
  readonly type: 'droppedFrameReport';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** ms */
  readonly timecode: number;
  /** number */
  readonly track: number;
  /** bytes */
  readonly bytes: number;
  /** status code */
  readonly reason: number;
}

export interface DroppedFragmentReportEvent {
  readonly type: 'droppedFragmentReport';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** ms */
  readonly timecode: number;
  /** ms */
  readonly end: number;
  /** count */
  readonly frames: number;
  /** bytes */
  readonly bytes: number;
  /** 0 or 1 */
  readonly sent: boolean;
  /** status code */
  readonly reason: number;
  /** count */
  readonly fragments: number;
}

export interface SkippedFramesReportEvent {
  readonly type: 'skippedFramesReport';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** count */
  readonly frames: number;
  /** ms */
  readonly timecode: number;
}

export interface FragmentAckReceivedEvent {
  readonly type: 'fragmentAckReceived';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly session: number;
  /** number */
  readonly ackType: number;
  /** number */
  readonly timecode: number;
  /** number */
  readonly error: number;
  /** status code */
  readonly status: number;
  /** 0 or 1 */
  readonly matched: boolean;
  /** The service's fragment number; empty when it sent none. */
  readonly text: string;
}

export interface KeyFrameMissingReportEvent {
  readonly type: 'keyFrameMissingReport';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** ms */
  readonly timecode: number;
  /** count */
  readonly frames: number;
  /** ms */
  readonly duration: number;
}

export interface CodecPrivateMissingReportEvent {
  readonly type: 'codecPrivateMissingReport';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** ms */
  readonly timecode: number;
  /** number */
  readonly track: number;
}

export interface FragmentCutReportEvent {
  readonly type: 'fragmentCutReport';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** ms */
  readonly timecode: number;
  /** ms */
  readonly duration: number;
  /** bytes */
  readonly bytes: number;
}

export interface TimelineChangedEvent {
  readonly type: 'timelineChanged';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** ms */
  readonly from: number;
  /** ms */
  readonly to: number;
}

export interface SessionEndedEvent {
  readonly type: 'sessionEnded';
  /** Id of the stream, 0 for the client. */
  readonly stream: number;
  /** number */
  readonly session: number;
  /** status code */
  readonly status: number;
  /** number */
  readonly result: number;
}

/** Anything that the core tells its host. */
export type NativeEvent =
  | GetSecurityTokenEvent
  | CreateDeviceEvent
  | DescribeStreamEvent
  | CreateStreamEvent
  | TagResourceEvent
  | GetStreamingEndpointEvent
  | GetStreamingTokenEvent
  | PutStreamEvent
  | AbortStreamEvent
  | ClientReadyEvent
  | ClientErrorReportEvent
  | StorageOverflowPressureEvent
  | StreamStateChangedEvent
  | StreamReadyEvent
  | StreamDataAvailableEvent
  | StreamClosedEvent
  | StreamErrorReportEvent
  | StreamConnectionStaleEvent
  | StreamLatencyPressureEvent
  | StreamUnderflowReportEvent
  | BufferDurationOverflowPressureEvent
  | DroppedFrameReportEvent
  | DroppedFragmentReportEvent
  | SkippedFramesReportEvent
  | FragmentAckReceivedEvent
  | KeyFrameMissingReportEvent
  | CodecPrivateMissingReportEvent
  | FragmentCutReportEvent
  | TimelineChangedEvent
  | SessionEndedEvent;
