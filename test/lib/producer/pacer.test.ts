import { describe, expect, it } from 'vitest';
import { GUIDE_PACE, NO_PACE, Pacer } from '../../../lib/producer/session/pacer.js';

const CLUSTER = Uint8Array.of(0x1f, 0x43, 0xb6, 0x75);

/** Sends `bytes` as soon as the pacer lets, `times` times; when the last went, ms. */
function sendAll(pacer: Pacer, bytes: Uint8Array, times: number): number {
  let now = 0;
  for (let i = 0; i < times; i += 1) {
    for (let wait = pacer.wait(now); wait > 0; wait = pacer.wait(now)) now += wait;
    pacer.sent(bytes);
  }
  return now;
}

function countWithin(times: readonly number[], from: number, span: number): number {
  return times.filter((time) => time >= from && time < from + span).length;
}

describe('Pacer', () => {
  it('lets 12.5 MB go in a second, over any time', () => {
    const time = sendAll(new Pacer(GUIDE_PACE), new Uint8Array(125_000), 1100);
    expect(time).toBeGreaterThan(9_900);
    expect(time).toBeLessThan(10_200);
  });

  it('lets 5 fragments go in a second', () => {
    const time = sendAll(new Pacer(GUIDE_PACE), CLUSTER, 55);
    expect(time).toBeGreaterThan(9_700);
    expect(time).toBeLessThan(10_200);
  });

  it('counts every fragment of a chunk, and pays for them afterwards', () => {
    const pacer = new Pacer(GUIDE_PACE);
    const ten = Buffer.concat(Array.from({ length: 10 }, () => CLUSTER));
    expect(pacer.wait(0)).toBe(0);
    pacer.sent(ten);
    expect(pacer.wait(0)).toBeGreaterThanOrEqual(1000);
    expect(pacer.wait(1010)).toBe(0);
  });

  it('lets 5 calls be made in a second', () => {
    const pacer = new Pacer(GUIDE_PACE);
    const waits = Array.from({ length: 6 }, () => pacer.callWait(0));
    expect(waits.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
    expect(waits[5]).toBeGreaterThan(0);
    expect(pacer.callWait(200)).toBe(0);
  });

  it('never holds a live stream back', () => {
    const pacer = new Pacer(GUIDE_PACE);
    for (let now = 0; now < 60_000; now += 1000) {
      expect(pacer.wait(now)).toBe(0);
      pacer.sent(CLUSTER);
      pacer.sent(new Uint8Array(500_000));
    }
  });

  it('lets no piece go that overdraws a cap by much', () => {
    const pacer = new Pacer({ ...GUIDE_PACE, bytes: 100_000 });
    expect(pacer.wait(0)).toBe(0);
    expect(pacer.most()).toBe(100_000);
    pacer.sent(new Uint8Array(100_000));
    expect(pacer.wait(10)).toBe(0);
    expect(pacer.most()).toBe(16 * 1024);
    expect(new Pacer(GUIDE_PACE).most()).toBe(128 * 1024);
    expect(new Pacer(NO_PACE).most()).toBe(Infinity);
  });

  it.each([100, 1200, 20_000])(
    'sends a backlog of fragments of %i bytes few at a time, at 5 a second',
    (size) => {
      const fragment = new Uint8Array(size);
      fragment.set(CLUSTER);
      const backlog = Buffer.concat(Array.from({ length: 200 }, () => fragment));
      const pacer = new Pacer(GUIDE_PACE);
      pacer.expect(size);
      const times: number[] = [];
      let now = 0;
      for (let at = 0; at < backlog.length;) {
        for (let wait = pacer.wait(now); wait > 0; wait = pacer.wait(now)) now += wait;
        const piece = backlog.subarray(at, at + pacer.most());
        at += piece.length;
        pacer.sent(piece);
        const begun = Math.ceil(at / size) - times.length;
        for (let i = 0; i < begun; i += 1) times.push(now);
      }
      // A second's worth may go at once, and half as much again where fragments are a few bytes.
      const most = Math.max(...times.map((from) => countWithin(times, from, 1000)));
      expect(most).toBeLessThanOrEqual(size < 1000 ? 21 : 11);
      expect(now).toBeGreaterThan(38_000);
      expect(now).toBeLessThan(40_500);
    },
  );

  it('learns how large fragments are that are smaller than was expected', () => {
    const pacer = new Pacer(GUIDE_PACE);
    pacer.expect(500_000);
    expect(pacer.wait(0)).toBe(0);
    expect(pacer.most()).toBe(128 * 1024);
    pacer.sent(
      Buffer.concat(
        Array.from({ length: 4 }, () => Buffer.concat([CLUSTER, new Uint8Array(1996)])),
      ),
    );
    expect(pacer.wait(0)).toBe(0);
    expect(pacer.most()).toBe(2000);
    pacer.expect(0);
    expect(pacer.most()).toBe(2000);
  });

  it('takes a fragment that is larger than the last ones in pieces that grow', () => {
    const pacer = new Pacer(GUIDE_PACE);
    pacer.expect(1000);
    const pieces: number[] = [];
    for (let now = 0; now < 200; now += 10) {
      expect(pacer.wait(now)).toBe(0);
      pieces.push(pacer.most());
      pacer.sent(new Uint8Array(pacer.most()));
    }
    expect(pieces.slice(0, 3)).toEqual([5000, 25_000, 128 * 1024]);
  });

  it('never waits without limits', () => {
    const pacer = new Pacer(NO_PACE);
    pacer.sent(new Uint8Array(1_000_000));
    for (let i = 0; i < 100; i += 1) expect(pacer.callWait(0) + pacer.wait(0)).toBe(0);
  });
});
