import { flagsOf, FRAME_FLAG, type Frame } from '../base/media.js';

/** A frame as it came back from the service. */
export interface ReturnedFrame {
  readonly trackNumber: number;
  readonly timecodeMs: number;
  readonly keyFrame: boolean;
  readonly data: Uint8Array;
}

/** A frame as it must come back. */
export interface ExpectedFrame {
  readonly number: number;
  readonly trackId: number;
  readonly timeMs: number;
  readonly keyFrame: boolean;
  readonly data: Uint8Array;
}

/** What came back for a frame that was sent. */
export function expectedFrame(number: number, frame: Frame, data: Uint8Array): ExpectedFrame {
  return {
    number,
    trackId: frame.trackId ?? 1,
    timeMs: frame.presentationTs,
    keyFrame: (flagsOf(frame) & FRAME_FLAG.KEY_FRAME) !== 0,
    data,
  };
}

/**
 * How a returned frame differs from the one that was sent, in a sentence that names the frame, or
 * `undefined` when it does not. Times are compared after rounding to `timecodeScaleMs`.
 */
export function describeDifference(
  sent: ExpectedFrame,
  returned: ReturnedFrame | undefined,
  timecodeScaleMs: number,
): string | undefined {
  const name = `frame ${sent.number} (track ${sent.trackId}, ${sent.keyFrame ? 'key frame, ' : ''}${sent.timeMs} ms)`;
  if (returned === undefined) return `${name} did not come back`;
  if (returned.trackNumber !== sent.trackId) {
    return `${name} came back on track ${returned.trackNumber}`;
  }
  const ticks = (ms: number): number => Math.round(ms / timecodeScaleMs);
  if (ticks(returned.timecodeMs) !== ticks(sent.timeMs)) {
    return `${name} came back with the time stamp ${returned.timecodeMs} ms`;
  }
  if (returned.keyFrame !== sent.keyFrame) {
    return `${name} came back ${returned.keyFrame ? 'marked as' : 'without the mark of'} a key frame`;
  }
  const content = describeBytes(sent.data, returned.data);
  return content && `${name} ${content}`;
}

function describeBytes(sent: Uint8Array, returned: Uint8Array): string | undefined {
  const shared = Math.min(sent.length, returned.length);
  for (let i = 0; i < shared; i += 1) {
    if (sent[i] !== returned[i]) {
      return `differs at byte ${i} of ${sent.length}: ${hex(sent[i])} was sent, ${hex(returned[i])} came back`;
    }
  }
  if (sent.length === returned.length) return undefined;
  return `was sent with ${sent.length} bytes and came back with ${returned.length}`;
}

function hex(byte: number | undefined): string {
  return `0x${(byte ?? 0).toString(16).padStart(2, '0')}`;
}
