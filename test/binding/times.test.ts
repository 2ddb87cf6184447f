import { describe, expect, it } from 'vitest';
import { STATUS } from '../../lib/generated/status.js';
import { loadBinding, packedStatus } from '../../lib/native/index.js';
import { deviceInfo, streamInfo, Time } from './child/drive.cjs';

/** The stamp as the core keeps it: put, then refused one step back, which tells both stamps. */
function throughCore(stamp: number, back: number): { value: number; previous: number } {
  const { NativeClient } = loadBinding();
  const time = new Time();
  const client = new NativeClient(deviceInfo(), time.mono, time.wall);
  // 1 us: stamps are compared after rounding to it.
  const stream = client.createStream(streamInfo({ timecodeScale: 0.001 }), time.mono, time.wall);
  const put = (pts: number): number =>
    packedStatus(stream.put(new Uint8Array(10), 1, 1, NaN, pts, 40, time.mono, time.wall));
  expect(put(stamp)).toBe(0);
  expect(put(back)).toBe(STATUS.STATUS_MKV_INVALID_FRAME_TIMESTAMP);
  const refusal = stream.lastRefusal();
  client.close();
  return refusal;
}

/** A microsecond stamp, as JavaScript would write it: a quotient that is rounded once. */
function micros(value: number): number {
  return value / 1000;
}

describe('times', () => {
  it.each([
    2_000, // 2 ms
    123_456_789,
    1_700_000_000_123_456, // a wall time of 2023
    1_700_000_000_999_999,
    4_102_444_800_000_001, // 2100
    (2 ** 39 - 1) * 1000 + 999, // where the rounding changes
    2 ** 39 * 1000 + 1,
  ])('%d us crosses exactly, both ways', (stamp) => {
    const { value, previous } = throughCore(micros(stamp), micros(stamp - 1));
    expect(previous).toBe(micros(stamp));
    expect(value).toBe(micros(stamp - 1));
  });

  it('ten thousand random microseconds cross exactly, both ways', () => {
    const { NativeClient } = loadBinding();
    const time = new Time();
    const client = new NativeClient(deviceInfo(), time.mono, time.wall);
    const stream = client.createStream(
      streamInfo({ timecodeScale: 0.001, minFragmentDuration: 0 }),
      time.mono,
      time.wall,
    );
    const put = (stamp: number): number =>
      packedStatus(
        stream.put(new Uint8Array(1), 1, 1, NaN, micros(stamp), 1, time.mono, micros(stamp)),
      );
    let stamp = 1_700_000_000_000_000;
    let state = 12345;
    for (let i = 0; i < 10_000; i += 1) {
      state = (state * 48271) % 2147483647; // Lehmer
      stamp += 1000 + (state % 20_000);
      time.mono += 20;
      expect([put(stamp), put(stamp - 1)]).toEqual([0, STATUS.STATUS_MKV_INVALID_FRAME_TIMESTAMP]);
      const { value, previous } = stream.lastRefusal();
      expect([previous, value]).toEqual([micros(stamp), micros(stamp - 1)]);
    }
    client.close();
  });

  it('below 2^39 ms a tick of 100 ns is kept', () => {
    const { value, previous } = throughCore(5000.0011, 5000.0001);
    expect(previous).toBe(5000.0011);
    expect(value).toBe(5000.0001);
  });

  it('Infinity is never, and never is Infinity', () => {
    const { NativeClient } = loadBinding();
    const time = new Time();
    const client = new NativeClient(deviceInfo(), time.mono, time.wall);
    for (let events = client.events(); events.length > 0; events = client.events()) {
      for (const event of events) {
        if ('call' in event) client.answer(event.call, 200, Infinity, time.mono, time.wall);
      }
    }
    // The deadline of the answered calls still stands; it is looked at when it comes.
    client.step(client.deadline(), time.wall);
    expect(client.deadline()).toBe(Infinity);
    client.close();
    expect(client.deadline()).toBe(Infinity);
  });

  it('the largest and the smallest time are taken', () => {
    const { NativeClient } = loadBinding();
    const client = new NativeClient(deviceInfo(), 0, 2 ** 43);
    expect(packedStatus(client.step(-0, 2 ** 43))).toBe(0);
    client.close();
  });
});
