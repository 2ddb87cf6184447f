import { describeError, textOf } from '../../base/values.js';
import type { Clock } from '../../base/clock.js';
import type { CallbackProvider } from '../../providers/index.js';
import type { Log } from '../reporting/logger.js';

/** The largest time that the core takes, ms: far beyond what a date can be. */
const LATEST_MS = 2 ** 43;
const BELOW_RANDOM = 2 ** 32;

/**
 * The system's clocks; the provider's `getCurrentTime`, where it has one, tells the wall's. Where that
 * throws or answers no time, the system's stands in and the log tells. @internal
 */
export function platformClock(provider: CallbackProvider, log: Log): Clock {
  const mono = (): number => performance.now();
  const own = provider.getCurrentTime?.bind(provider);
  if (own === undefined) return { mono, wall: Date.now };
  const valid = (time: unknown): boolean => within(time, LATEST_MS);
  return { mono, wall: () => ask(log, 'getCurrentTime', own, valid) ?? Date.now() };
}

/**
 * A number from 0 to 2^32 - 1, the provider's `getRandomNumber` where it has one and answers well.
 * @internal
 */
export function platformRandom(provider: CallbackProvider, log: Log): number {
  const own = provider.getRandomNumber?.bind(provider);
  const valid = (value: unknown): boolean => Number.isInteger(value) && within(value, BELOW_RANDOM);
  const given = own === undefined ? undefined : ask(log, 'getRandomNumber', own, valid);
  return given ?? Math.floor(Math.random() * BELOW_RANDOM);
}

function within(value: unknown, end: number): boolean {
  return typeof value === 'number' && value >= 0 && value < end;
}

/** What a function of the user's answers, or undefined, and a line in the log, where it cannot be used. */
function ask(
  log: Log,
  name: string,
  call: () => number,
  valid: (value: unknown) => boolean,
): number | undefined {
  try {
    const value = call();
    if (valid(value)) return value;
    log.write('error', name, `${name} answered ${textOf(value)}; the system's own stands in`);
  } catch (error) {
    log.write('error', name, `${name} failed: ${describeError(error)}; the system's own stands in`);
  }
  return undefined;
}
