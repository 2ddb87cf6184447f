import { describe, expect, it } from 'vitest';
import { Room } from '../../../lib/producer/stream/room.js';
import type { StreamMetrics } from '../../../lib/index.js';

/** Figures of a stream, of which a room looks at three. */
class Figures {
  looks = 0;
  size = 0;
  duration = 0;
  fragments = 5;

  readonly metrics = (): StreamMetrics => {
    this.looks += 1;
    const { size: overallViewSize, duration: overallViewDuration, fragments } = this;
    const figures = { overallViewSize, overallViewDuration, bufferedFragments: fragments };
    return isMetrics(figures) ? figures : fail();
  };
}

function isMetrics(value: object): value is StreamMetrics {
  return 'overallViewSize' in value;
}

function fail(): never {
  throw new TypeError('no figures');
}

function room(figures: Figures, onRoom: () => void = () => undefined): Room {
  const { metrics } = figures;
  return new Room({ metrics, share: () => 1_000_000, bufferDuration: 100_000 }, onRoom);
}

describe('Room', () => {
  it('is above its mark at 80 % of the bytes, and below again at 65 %', () => {
    const figures = new Figures();
    let told = 0;
    const one = room(figures, () => (told += 1));
    figures.size = 799_000;
    expect(one.took(100_000, 0)).toBe(true);
    figures.size = 800_000;
    expect(one.took(100_000, 0)).toBe(false);
    figures.size = 700_000;
    one.freed();
    expect([told, one.took(1, 0)]).toEqual([0, false]);
    figures.size = 649_000;
    one.freed();
    expect([told, one.took(1, 0)]).toEqual([1, true]);
  });

  it('is above its mark at 80 % of the window', () => {
    const figures = new Figures();
    const one = room(figures);
    figures.duration = 80_000;
    expect(one.took(1, 0)).toBe(false);
  });

  it('never makes a writer wait for its own open fragment', () => {
    const figures = new Figures();
    figures.size = 999_000;
    figures.fragments = 1;
    expect(room(figures).took(1, 0)).toBe(true);
  });

  it('looks seldom, and yet never late', () => {
    const figures = new Figures();
    const one = room(figures);
    let put = 0;
    while (one.took(1000, put * 40)) {
      put += 1;
      figures.size += 1000;
    }
    expect(figures.looks).toBeLessThan(40);
    expect(figures.size).toBeLessThan(870_000);
  });

  it('tells of room after a frame found none', () => {
    const figures = new Figures();
    let told = 0;
    const one = room(figures, () => (told += 1));
    one.full();
    expect(one.took(1, 0)).toBe(false);
    one.freed();
    expect(told).toBe(1);
  });
});
