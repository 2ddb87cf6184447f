import { statusFromCode } from '../../base/errors.js';
import type { NativeEvent } from '../../generated/events.js';
import { STREAM_STATE } from '../../generated/states.js';
import { statusName, type StatusName } from '../../generated/status.js';
import type {
  ClientCallbackProvider,
  FragmentAck,
  FragmentAckType,
  StreamCallbackProvider,
  StreamClosedReport,
  StreamStateName,
} from '../../providers/index.js';

/** Names of the callbacks about a stream. */
export type StreamNoteName = keyof StreamCallbackProvider;
/** Names of the callbacks about the producer. */
export type ClientNoteName = keyof ClientCallbackProvider;

type Report<F extends ((...all: never) => unknown) | undefined> = Parameters<NonNullable<F>>[0];

/** A stream's note, as its callback gets it. */
export type StreamNote = {
  [K in StreamNoteName]-?: { readonly name: K; readonly report: Report<StreamCallbackProvider[K]> };
}[StreamNoteName];

/** A client's note, as its callback gets it. */
export type ClientNote = {
  [K in ClientNoteName]-?: { readonly name: K; readonly report: Report<ClientCallbackProvider[K]> };
}[ClientNoteName];

type ClientNoteEvent = Extract<NativeEvent, { readonly type: ClientNoteName }>;
type StreamNoteEvent = Extract<NativeEvent, { readonly type: StreamNoteName }>;

const ACK_TYPES: Readonly<Record<number, FragmentAckType>> = {
  1: 'BUFFERING',
  2: 'RECEIVED',
  3: 'PERSISTED',
  4: 'ERROR',
  5: 'IDLE',
};

const STATES: Readonly<Record<number, StreamStateName>> = {
  [STREAM_STATE.NEW]: 'NEW',
  [STREAM_STATE.DESCRIBE]: 'DESCRIBE',
  [STREAM_STATE.CREATE]: 'CREATE',
  [STREAM_STATE.TAG_STREAM]: 'TAG_STREAM',
  [STREAM_STATE.GET_ENDPOINT]: 'GET_ENDPOINT',
  [STREAM_STATE.GET_TOKEN]: 'GET_TOKEN',
  [STREAM_STATE.READY]: 'READY',
  [STREAM_STATE.PUT_STREAM]: 'PUT_STREAM',
  [STREAM_STATE.STREAMING]: 'STREAMING',
  [STREAM_STATE.STOPPED]: 'STOPPED',
};

/** Name of a state number of a stream's machine. @internal */
export function streamStateName(state: number): StreamStateName {
  return STATES[state] ?? 'NEW';
}

function orSuccess(code: number): StatusName | 'STATUS_SUCCESS' {
  return code === 0 ? 'STATUS_SUCCESS' : statusFromCode(code);
}

/** @internal */
export function clientNote(event: ClientNoteEvent): ClientNote {
  switch (event.type) {
    case 'clientReady':
      return { name: event.type, report: { uptime: event.uptime } };
    case 'storageOverflowPressure':
      return { name: event.type, report: { remaining: event.remaining } };
    case 'clientErrorReport': {
      const { result, attempts } = event;
      return {
        name: event.type,
        report: { status: statusFromCode(event.status), result, attempts },
      };
    }
  }
}

/** @internal */
export function streamNote(event: StreamNoteEvent): StreamNote {
  switch (event.type) {
    case 'fragmentAckReceived':
    case 'sessionEnded':
    case 'streamDataAvailable':
    case 'streamConnectionStale':
    case 'streamUnderflowReport':
    case 'streamClosed':
    case 'streamErrorReport':
      return sessionNote(event);
    case 'streamStateChanged':
      return {
        name: event.type,
        report: { from: streamStateName(event.from), to: streamStateName(event.to) },
      };
    case 'streamReady':
      return { name: event.type, report: { uptime: event.uptime } };
    case 'streamLatencyPressure':
      return { name: event.type, report: { duration: event.duration } };
    case 'bufferDurationOverflowPressure':
      return { name: event.type, report: { remaining: event.remaining } };
    case 'droppedFrameReport':
    case 'droppedFragmentReport':
    case 'skippedFramesReport':
    case 'keyFrameMissingReport':
    case 'codecPrivateMissingReport':
    case 'fragmentCutReport':
    case 'timelineChanged':
      return mediaNote(event);
  }
}

type SessionNoteEvent = Extract<
  StreamNoteEvent,
  {
    readonly type:
      | 'fragmentAckReceived'
      | 'sessionEnded'
      | 'streamDataAvailable'
      | 'streamConnectionStale'
      | 'streamUnderflowReport'
      | 'streamClosed'
      | 'streamErrorReport';
  }
>;

function sessionNote(event: SessionNoteEvent): StreamNote {
  const { session } = event;
  switch (event.type) {
    case 'fragmentAckReceived':
      return { name: event.type, report: fragmentAck(event) };
    case 'sessionEnded': {
      const report = { session, status: orSuccess(event.status), result: event.result };
      return { name: event.type, report };
    }
    case 'streamDataAvailable': {
      const { duration, bytes } = event;
      return { name: event.type, report: { session, duration, bytes } };
    }
    case 'streamConnectionStale':
      return { name: event.type, report: { session, since: event.since } };
    case 'streamUnderflowReport':
      return { name: event.type, report: { session } };
    case 'streamClosed':
      return { name: event.type, report: streamClosed(event) };
    case 'streamErrorReport': {
      const { timecode, result, attempts } = event;
      const status = statusFromCode(event.status);
      return { name: event.type, report: { session, timecode, status, result, attempts } };
    }
  }
}

/** @internal */
export function streamClosed(
  event: Extract<NativeEvent, { readonly type: 'streamClosed' }>,
): StreamClosedReport {
  const { session, dropped } = event;
  return { session, status: orSuccess(event.status), dropped };
}

type AckEvent = Extract<NativeEvent, { readonly type: 'fragmentAckReceived' }>;

function fragmentAck(event: AckEvent): FragmentAck {
  const { session, timecode, text, error, matched } = event;
  return {
    type: ACK_TYPES[event.ackType] ?? 'IDLE',
    timecode,
    fragmentNumber: text,
    session,
    errorId: error,
    status: statusName(event.status) ?? 'STATUS_SUCCESS',
    matched,
  };
}

type MediaNoteEvent = Exclude<
  StreamNoteEvent,
  | SessionNoteEvent
  | {
      readonly type:
        | 'streamStateChanged'
        | 'streamReady'
        | 'streamLatencyPressure'
        | 'bufferDurationOverflowPressure';
    }
>;

function mediaNote(event: MediaNoteEvent): StreamNote {
  switch (event.type) {
    case 'droppedFrameReport': {
      const { timecode, track, bytes } = event;
      const reason = statusFromCode(event.reason);
      return { name: event.type, report: { timecode, trackId: track, bytes, reason } };
    }
    case 'droppedFragmentReport': {
      const { timecode, end, frames, bytes, sent } = event;
      const reason = statusFromCode(event.reason);
      return { name: event.type, report: { timecode, end, frames, bytes, sent, reason } };
    }
    case 'skippedFramesReport':
      return { name: event.type, report: { frames: event.frames, timecode: event.timecode } };
    case 'keyFrameMissingReport': {
      const { timecode, frames, duration } = event;
      return { name: event.type, report: { timecode, frames, duration } };
    }
    case 'codecPrivateMissingReport':
      return { name: event.type, report: { timecode: event.timecode, trackId: event.track } };
    case 'fragmentCutReport': {
      const { timecode, duration, bytes } = event;
      return { name: event.type, report: { timecode, duration, bytes } };
    }
    case 'timelineChanged':
      return { name: event.type, report: { from: event.from, to: event.to } };
  }
}
