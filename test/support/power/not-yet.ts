/** What the store does not do yet; each goes from here when it does. */
const NOT_YET: readonly RegExp[] = [
  // A fragment whose record arrived and whose bytes did not is listed after the crash, if never served.
  /: unacknowledged fragment \d+ is listed and cannot be read/,
];

/** The faults that are not known ones. */
export function newFaults(faults: readonly string[]): string[] {
  return faults.filter((fault) => !NOT_YET.some((known) => known.test(fault)));
}
