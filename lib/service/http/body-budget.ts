/** Bytes of bodies that may be held at a time before it is known who sends them. */
const MOST = 16 * 1024 * 1024;
/** What every body may have all the same: those of clients that mean well are mostly shorter. */
const SMALL = 8 * 1024;

/** Bounds what all unsigned bodies together hold. @internal */
export class BodyBudget {
  #held = 0;

  /** Counts bytes of a body that has so many with them; gives whether they may be held. */
  take(bytes: number, ofBody: number): boolean {
    this.#held += bytes;
    return ofBody <= SMALL || this.#held <= MOST;
  }

  /** The bytes are held no more. */
  give(bytes: number): void {
    this.#held -= bytes;
  }
}
