import { messageOf } from '../../base/values.js';
import { KvsError, statusFromCode } from '../../base/errors.js';
import type { Frame } from '../../base/media.js';
import type { StreamMetrics } from '../../generated/metrics.js';
import type { StatusName } from '../../generated/status.js';
import type { NativeRefusal } from '../../native/index.js';

/** What a refused frame's error text is made from. @internal */
export interface RefusedFrame {
  readonly stream: string;
  readonly frame: Frame;
  readonly trackIds: readonly number[];
  /** What the core says of it. */
  readonly refusal: NativeRefusal;
}

/** The error of a frame that the core refused: which frame, which rule, and what to do. @internal */
export function frameRefused(code: number, refused: RefusedFrame): KvsError {
  const status = statusFromCode(code);
  const frame = `the frame ${describeFrame(refused.frame)} of stream '${refused.stream}'`;
  return new KvsError({
    status,
    message: `${frame} is refused: ${ruleOf(status, refused)}`,
    retryable: status === 'STATUS_STORE_OUT_OF_MEMORY',
  });
}

/** The error of a frame for a stream that takes none. @internal */
export function frameShut(status: StatusName, stream: string, frame: Partial<Frame>): KvsError {
  const why =
    status === 'STATUS_INVALID_OPERATION'
      ? 'the stream is closed; create it again with createStream()'
      : 'the stream has been stopped; start() makes it take frames again';
  const message = `the frame ${describeFrame(frame)} of stream '${stream}' is refused: ${why}`;
  return new KvsError({ status, message });
}

/** The error of a `stop` that ran out of time; `held` written frames wait for room. @internal */
export function stopIsLate(
  stream: string,
  timeoutMs: number | undefined,
  held: number,
  metrics: StreamMetrics,
): KvsError {
  const { bufferedFrames, bufferedFragments, overallViewDuration } = metrics;
  const written = held === 0 ? '' : `, and ${held} written ones wait for room`;
  return new KvsError({
    status: 'STATUS_OPERATION_TIMED_OUT',
    message:
      `stream '${stream}' did not stop within ${timeoutMs ?? 0} ms: ${bufferedFrames} frames in ` +
      `${bufferedFragments} fragments (${Math.round(overallViewDuration)} ms of media) are not ` +
      `acknowledged yet${written}; they are still being sent, stop() again waits on`,
    retryable: true,
  });
}

/** Whether a written chunk may be a frame at all. @internal */
export function isFrame(chunk: unknown): boolean {
  return (
    typeof chunk === 'object' &&
    chunk !== null &&
    !ArrayBuffer.isView(chunk) &&
    'frameData' in chunk
  );
}

/** The error of a written chunk that is no frame. @internal */
export function noFrame(stream: string, chunk: unknown): KvsError {
  const what = ArrayBuffer.isView(chunk) ? 'bytes' : `of type ${typeof chunk}`;
  return new KvsError({
    status: 'STATUS_INVALID_ARG',
    message:
      `stream '${stream}' takes frames ({ frameData, presentationTs, … }), and what was written is ` +
      `${what}; cut a file or a pipe into frames first, with a source of kinesis-video/sources`,
  });
}

/** The error of a stream that ends and has taken none of the frames that were written. @internal */
export function allRefused(stream: string, cause: unknown): KvsError {
  const why =
    cause instanceof KvsError ? `the last: ${cause.message}` : 'none of them was a key frame';
  return new KvsError({
    status: cause instanceof KvsError ? cause.status : 'STATUS_INVALID_ARG',
    message: `stream '${stream}' has taken none of the frames that were written; ${why}`,
    cause,
  });
}

/** The error of a frame that is none: a field of the wrong type or out of range. @internal */
export function frameMalformed(
  stream: string,
  frame: Partial<Frame> | null | undefined,
  cause: unknown,
): KvsError {
  const which = frame === undefined || frame === null ? String(frame) : describeFrame(frame);
  const what = messageOf(cause);
  return new KvsError({
    status: 'STATUS_INVALID_ARG',
    message:
      `the frame ${which} of stream '${stream}' is refused: ${what}; ` +
      'frameData is a Uint8Array, times are milliseconds from 0 on',
    cause,
  });
}

function describeFrame(frame: Partial<Frame> | null | undefined): string {
  const { presentationTs, decodingTs, trackId } = frame ?? {};
  const dts = decodingTs === undefined ? '' : `, decodingTs ${decodingTs} ms`;
  return `at presentationTs ${presentationTs} ms${dts} on track ${trackId ?? 1}`;
}

function ruleOf(status: StatusName, refused: RefusedFrame): string {
  const { frame, refusal, trackIds } = refused;
  switch (status) {
    case 'STATUS_MKV_INVALID_FRAME_DATA':
      return emptyOrLong(frame, refusal);
    case 'STATUS_MKV_PTS_DTS_ARE_NOT_SAME':
      return (
        `it begins a fragment and is shown more than ${refusal.limit} ms away from its decoding ` +
        `time ${refusal.previous} ms; no fragment could come after it. Look at its times`
      );
    case 'STATUS_MKV_TRACK_INFO_NOT_FOUND':
      return `the stream has no such track; it has ${trackIds.join(', ')}. Declare each in tracks`;
    case 'STATUS_MKV_INVALID_FRAME_TIMESTAMP':
      return (
        `its decoding time ${refusal.value} ms is older than ${refusal.previous} ms, that of the frame ` +
        'before it on the track; put frames in the order of decoding, with decodingTs where it ' +
        'differs from presentationTs'
      );
    case 'STATUS_MKV_LARGE_FRAME_TIMECODE':
      return (
        `it stands ${Math.abs(refusal.value - refusal.previous)} ms from the begin of its fragment, and ${refusal.limit} ms can be ` +
        'written; send key frames more often, or raise timecodeScale'
      );
    case 'STATUS_MKV_MAX_FRAME_TIMECODE':
      return `its time ${refusal.value} ms is beyond what Matroska can carry, ${refusal.limit} ms`;
    case 'STATUS_MKV_INVALID_ANNEXB_NALU_IN_FRAME_DATA':
    case 'STATUS_MKV_INVALID_AVCC_NALU_IN_FRAME_DATA':
      return wrongFormat(status, frame);
    case 'STATUS_STORE_OUT_OF_MEMORY':
      return storeFull(frame, refusal);
    case 'STATUS_STREAM_HAS_BEEN_STOPPED':
      return 'the stream has been stopped; start() makes it take frames again';
    case 'STATUS_INVALID_OPERATION':
      return 'the stream is closed; create it again with createStream()';
    default:
      return `the core answered ${refusal.value} against ${refusal.limit}`;
  }
}

function emptyOrLong(frame: Frame, refusal: NativeRefusal): string {
  if (frame.frameData.length === 0) {
    return 'it is empty (0 bytes of frameData); leave empty frames out';
  }
  return (
    `its duration ${refusal.value} ms is longer than the stream's bufferDuration, ` +
    `${refusal.limit} ms; give the time that it is shown, or leave duration out`
  );
}

function wrongFormat(status: StatusName, frame: Frame): string {
  const begin = firstBytes(frame);
  if (status === 'STATUS_MKV_INVALID_ANNEXB_NALU_IN_FRAME_DATA') {
    return (
      `nalAdaptationFlags has ANNEXB_NALS, and it begins with ${begin}, no start code ` +
      '(00 00 01 or 00 00 00 01); for length-prefixed (AVCC) frames leave ANNEXB_NALS out'
    );
  }
  return (
    'nalAdaptationFlags has AVCC_NALS, and the lengths in it do not add up to its ' +
    `${frame.frameData.length} bytes (it begins with ${begin}); each NAL unit has its length in ` +
    '4 bytes before it'
  );
}

function storeFull(frame: Frame, refusal: NativeRefusal): string {
  const size = frame.frameData.length;
  if (refusal.window === 0 && refusal.limit > 0 && size > refusal.limit) {
    return `its ${size} bytes never fit the storage, which takes ${refusal.limit}; raise storageSize`;
  }
  if (refusal.window > 0) {
    return (
      `the stream's window is full: ${refusal.window} ms of media (bufferDuration) wait for the service ` +
      "to acknowledge them; put it again after 'drain', raise bufferDuration, or let overflowPolicy " +
      'be DROP_OLDEST'
    );
  }
  return (
    `there is no room for its ${size} bytes until the service acknowledges older fragments; ` +
    "put it again after 'drain', raise storageSize, or let overflowPolicy be DROP_OLDEST"
  );
}

function firstBytes(frame: Frame): string {
  const bytes = [...frame.frameData.subarray(0, 4)];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
