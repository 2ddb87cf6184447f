import type { H264Sps } from './h264-sets.js';
import type { H264Slice } from './h264-slice.js';

/** Picture order counts (Rec. ITU-T H.264, 8.2.1), picture by picture in decoding order. */
export class H264Order {
  #sequence = -1;
  #prevMsb = 0;
  #prevLsb = 0;
  #prevFrameNum = 0;
  #frameNumOffset = 0;

  /** Of the picture that `slice` is the first of. */
  next(slice: H264Slice, sps: H264Sps): { readonly sequence: number; readonly order: number } {
    const order = sps.orderType === 0 ? this.#stated(slice, sps) : this.#counted(slice, sps);
    if (slice.idr || slice.resets || this.#sequence < 0) this.#sequence += 1;
    this.#remember(slice);
    // A picture that resets the order is shown behind all before it and is the first of the new one.
    return { sequence: this.#sequence, order: slice.resets ? 0 : order };
  }

  #stated(slice: H264Slice, sps: H264Sps): number {
    let msb = slice.idr ? 0 : this.#prevMsb;
    const before = slice.idr ? 0 : this.#prevLsb;
    const most = 2 ** sps.orderLsbBits;
    if (slice.lsb < before && before - slice.lsb >= most / 2) msb += most;
    else if (slice.lsb > before && slice.lsb - before > most / 2) msb -= most;
    if (slice.refIdc !== 0) {
      this.#prevMsb = msb;
      this.#prevLsb = slice.lsb;
    }
    const top = msb + slice.lsb;
    return slice.field ? top : Math.min(top, top + slice.deltas[0]);
  }

  #counted(slice: H264Slice, sps: H264Sps): number {
    const most = 2 ** sps.frameNumBits;
    let offset = slice.idr ? 0 : this.#frameNumOffset;
    if (!slice.idr && this.#prevFrameNum > slice.frameNum) offset += most;
    this.#frameNumOffset = offset;
    const number = offset + slice.frameNum;
    if (sps.orderType === 2) return slice.idr ? 0 : 2 * number - (slice.refIdc === 0 ? 1 : 0);
    const expected = expectedCount(number, slice.refIdc === 0, sps);
    const top = expected + slice.deltas[0];
    if (slice.bottom) return top + sps.offsetTopToBottom;
    return slice.field ? top : Math.min(top, top + sps.offsetTopToBottom + slice.deltas[1]);
  }

  #remember(slice: H264Slice): void {
    this.#prevFrameNum = slice.resets ? 0 : slice.frameNum;
    if (slice.refIdc === 0) return;
    if (!slice.resets) return;
    this.#prevMsb = 0;
    this.#prevLsb = slice.field ? 0 : Math.max(0, -slice.deltas[0]);
    this.#frameNumOffset = 0;
  }
}

/** 8.2.1.2: the count that follows from the frame number alone. */
function expectedCount(number: number, disposable: boolean, sps: H264Sps): number {
  const length = sps.cycle.length;
  let frames = length === 0 ? 0 : number;
  if (disposable && frames > 0) frames -= 1;
  let expected = 0;
  if (frames > 0) {
    const whole = sps.cycle.reduce((sum, delta) => sum + delta, 0);
    expected = Math.floor((frames - 1) / length) * whole;
    for (let i = 0; i <= (frames - 1) % length; i += 1) expected += sps.cycle[i] ?? 0;
  }
  return disposable ? expected + sps.offsetNonRef : expected;
}
