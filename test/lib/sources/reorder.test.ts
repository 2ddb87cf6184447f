import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodingClock, type Stamped } from '../../../lib/sources/reorder.js';

function stamp(times: readonly number[], delayMs: number): Stamped<number>[] {
  const clock = new DecodingClock<number>(delayMs);
  const out: Stamped<number>[] = [];
  for (const [index, pts] of times.entries()) {
    const settled = clock.push(pts, index);
    if (settled) out.push(settled);
  }
  for (let rest = clock.take(); rest; rest = clock.take()) out.push(rest);
  return out;
}

describe('DecodingClock', () => {
  it('decodes I P B B at the sorted times less the delay', () => {
    const out = stamp([0, 120, 40, 80], 40);
    expect(out.map((frame) => frame.dts)).toEqual([-40, 0, 40, 80]);
    expect(out.map((frame) => frame.item)).toEqual([0, 1, 2, 3]);
  });

  it('keeps the order, and with the right delay decodes before it shows, always later', () => {
    const gops = fc.array(fc.shuffledSubarray([...Array(16).keys()], { minLength: 16 }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(gops, (orders) => {
        const times = orders.flatMap((order, gop) => order.map((slot) => (gop * 16 + slot) * 40));
        const delay = stamp(times, 0).reduce((most, f) => Math.max(most, f.dts - f.pts), 0);
        const out = stamp(times, delay);
        expect(out.map((frame) => frame.pts)).toEqual(times);
        for (const [index, frame] of out.entries()) {
          expect(frame.dts).toBeLessThanOrEqual(frame.pts);
          expect(frame.dts).toBeGreaterThan(out[index - 1]?.dts ?? -Infinity);
        }
      }),
      { numRuns: 200 },
    );
  });
});
