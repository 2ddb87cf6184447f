/** The two clocks that every core call needs, in milliseconds. Tests drive one by hand. */
export interface Clock {
  /** Monotonic time; never steps back. Deadlines use this one alone. */
  mono(): number;
  /** Wall-clock time since 1970 UTC; may step. Media time stamps use this one. */
  wall(): number;
}
