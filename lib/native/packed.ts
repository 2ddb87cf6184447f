import { PACKED_DEADLINE, PACKED_EVENTS } from './binding.js';

// A packed number is up to 2^37, beyond the 32 bits of JavaScript's operators: the flags and the
// outcome stand lowest, where those operators still see them, and the rest is divided out.

/** The status in a packed number; 0 is STATUS_SUCCESS. Not for the numbers of `take`. */
export function packedStatus(packed: number): number {
  return Math.floor(packed / 4);
}

/** Whether `events()` has something to give; for packed numbers and those of `take`. */
export function packedEvents(packed: number): boolean {
  return (packed & PACKED_EVENTS) !== 0;
}

/** Whether the timer is to be set anew; for packed numbers and those of `take`. */
export function packedDeadline(packed: number): boolean {
  return (packed & PACKED_DEADLINE) !== 0;
}

/** How many bytes `take` wrote. */
export function takenBytes(taken: number): number {
  return Math.floor(taken / 32);
}

/** The outcome of `take`: one of TAKE_*. */
export function takenOutcome(taken: number): number {
  return (taken >> 2) & 7;
}
