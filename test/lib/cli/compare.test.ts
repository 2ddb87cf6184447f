import { describe, expect, it } from 'vitest';
import { describeDifference } from '../../../lib/cli/compare.js';

const SENT = {
  number: 7,
  trackId: 1,
  timeMs: 280.4,
  keyFrame: false,
  data: Uint8Array.of(1, 2, 3),
};
const BACK = { trackNumber: 1, timecodeMs: 280, keyFrame: false, data: Uint8Array.of(1, 2, 3) };

describe('describeDifference', () => {
  it('finds none between equal frames, whose times are compared in time code units', () => {
    expect(describeDifference(SENT, BACK, 1)).toBeUndefined();
    expect(describeDifference({ ...SENT, timeMs: 279.5 }, BACK, 1)).toBeUndefined();
  });

  it.each([
    ['a frame that is absent', undefined, /^frame 7 \(track 1, 280\.4 ms\) did not come back$/],
    ['another track', { ...BACK, trackNumber: 2 }, /came back on track 2$/],
    ['another time', { ...BACK, timecodeMs: 281 }, /with the time stamp 281 ms$/],
    ['a key frame mark', { ...BACK, keyFrame: true }, /marked as a key frame$/],
    [
      'another byte',
      { ...BACK, data: Uint8Array.of(1, 2, 9) },
      /differs at byte 2 of 3: 0x03 was sent, 0x09 came back$/,
    ],
    [
      'a byte too few',
      { ...BACK, data: Uint8Array.of(1, 2) },
      /with 3 bytes and came back with 2$/,
    ],
  ])('names the frame and %s', (_what, back, words) => {
    expect(describeDifference(SENT, back, 1)).toMatch(words);
  });

  it('sees a time stamp that is one unit off where the unit is finer', () => {
    expect(describeDifference(SENT, BACK, 0.1)).toMatch(/time stamp 280 ms/);
  });
});
