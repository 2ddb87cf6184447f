import { FRAME_FLAG, type Frame } from '../../lib/base/media.js';

/** How synthetic frames are made. */
export interface SyntheticOptions {
  readonly count: number;
  /** Time of the first frame, ms. */
  readonly start: number;
  /** Between frames, ms; 40 by default. */
  readonly step?: number;
  /** Frames from one key frame to the next; 25 by default. */
  readonly gop?: number;
  /** Bytes of a frame; 4,000 by default. */
  readonly size?: number;
  /** Number of the first frame, which its bytes depend on. */
  readonly first?: number;
}

/** Bytes that tell which frame they are: its number, then a pattern made from it. */
export function frameBytes(index: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = (index + 1) >>> 0;
  for (let i = 0; i < size; i += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  new DataView(bytes.buffer).setUint32(0, index);
  return bytes;
}

/** Number of the frame that `frameBytes` made these of. */
export function frameIndex(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

/** Frames of one video track, all different. */
export function* syntheticFrames(options: SyntheticOptions): Generator<Frame, void, undefined> {
  const { count, start, step = 40, gop = 25, size = 4000, first = 0 } = options;
  for (let i = 0; i < count; i += 1) {
    yield {
      frameData: frameBytes(first + i, size),
      flags: i % gop === 0 ? FRAME_FLAG.KEY_FRAME : FRAME_FLAG.NONE,
      presentationTs: start + i * step,
      duration: step,
    };
  }
}
