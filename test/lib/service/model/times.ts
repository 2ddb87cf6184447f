import fc from 'fast-check';
import type { ModelStream, TimeName } from './world.js';

/** Which fragment's time is meant, and how far off, ms. */
export interface Near {
  readonly pick: number;
  readonly off: number;
}

/** Either of the times. */
export const time: fc.Arbitrary<TimeName> = fc.constantFrom<TimeName>('producerTime', 'serverTime');
/** A time near that of some fragment: which one, and how far off, ms. */
export const near: fc.Arbitrary<Near> = fc.record({
  pick: fc.nat(20),
  off: fc.constantFrom(-3000, -1, 0, 1, 250, 3000),
});

/** One of a list; undefined where it is empty. */
export function picked<T>(list: readonly T[], pick: number): T | undefined {
  return list[pick % Math.max(1, list.length)];
}

/** That time, of a stream as it is now. */
export function nearTime(
  stream: ModelStream | undefined,
  kind: TimeName,
  { pick, off }: Near,
): number {
  return (picked(stream?.fragments ?? [], pick)?.[kind] ?? Date.UTC(2026, 0, 1)) + off;
}

/** A time as calls name it. */
export const selectorOf = (kind: TimeName): 'PRODUCER_TIMESTAMP' | 'SERVER_TIMESTAMP' =>
  kind === 'producerTime' ? 'PRODUCER_TIMESTAMP' : 'SERVER_TIMESTAMP';
