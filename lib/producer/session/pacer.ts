/** A stream's pace: what the service takes of one stream (guide: limits of PutMedia). @internal */
export interface Pace {
  /** PutMedia calls a second. */
  readonly calls: number;
  /** Fragments a second. */
  readonly fragments: number;
  /** Bytes a second. */
  readonly bytes: number;
}

/** The guide's limits of one stream. @internal */
export const GUIDE_PACE: Readonly<Pace> = { calls: 5, fragments: 5, bytes: 12_500_000 };
/** No pace at all. @internal */
export const NO_PACE: Readonly<Pace> = { calls: Infinity, fragments: Infinity, bytes: Infinity };

/**
 * A second's worth of something that comes back evenly. It may be overdrawn by what is taken at
 * once; nothing more is to be taken then until it is back above zero.
 */
class Allowance {
  readonly #rate: number;
  #left: number;
  #at = -Infinity;

  constructor(rate: number) {
    this.#rate = rate;
    this.#left = rate;
  }

  /** Milliseconds until something may be taken. */
  wait(mono: number): number {
    if (this.#rate === Infinity) return 0;
    if (mono > this.#at) {
      const back = ((mono - this.#at) / 1000) * this.#rate;
      this.#left = Math.min(this.#rate, this.#left + back);
      this.#at = mono;
    }
    return this.#left > 0 ? 0 : Math.ceil((-this.#left / this.#rate) * 1000) + 1;
  }

  /** What is left; less than nothing where it is overdrawn. */
  get left(): number {
    return this.#left;
  }

  take(amount: number): void {
    if (this.#rate !== Infinity) this.#left -= amount;
  }
}

// So much goes at once, that a cap is not overdrawn by much. No piece is so small that its own cost
// counts, but where fragments are: there are few of those in a second.
const LEAST_PIECE = 16 * 1024;
const MOST_PIECE = 128 * 1024;
const LEAST_OF_FRAGMENTS = 1024;

// A Cluster's id. The same four bytes within a frame, once in four billion, cost a fifth of a second.
const CLUSTER = '\x1f\x43\xb6\x75';

function clustersIn(bytes: Uint8Array): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let found = 0;
  let at = text.indexOf(CLUSTER, 0, 'latin1');
  while (at >= 0) {
    found += 1;
    at = text.indexOf(CLUSTER, at + 4, 'latin1');
  }
  return found;
}

/**
 * Keeps one stream within the service's limits while a backlog is sent, over all its sessions: a
 * live stream is far below them and never waits. @internal
 */
export class Pacer {
  readonly #calls: Allowance;
  readonly #fragments: Allowance;
  readonly #bytes: Allowance;
  readonly #free: boolean;
  /** Bytes of a fragment, as the last ones had them. */
  #fragmentSize = MOST_PIECE;
  /** Bytes sent since a piece began a fragment. */
  #sinceCluster = 0;

  constructor(pace: Pace) {
    this.#calls = new Allowance(pace.calls);
    this.#fragments = new Allowance(pace.fragments);
    this.#bytes = new Allowance(pace.bytes);
    this.#free = pace.fragments === Infinity && pace.bytes === Infinity;
  }

  /** Milliseconds until a PutMedia call may be made, which is counted when there are none. */
  callWait(mono: number): number {
    const wait = this.#calls.wait(mono);
    if (wait === 0) this.#calls.take(1);
    return wait;
  }

  /** Tells how large the fragments are that wait to be sent, bytes, before the first of them is. */
  expect(fragmentSize: number): void {
    if (fragmentSize > 0) this.#fragmentSize = fragmentSize;
  }

  /** Bytes that may be sent at once, when none need be waited for: about the fragments that may. */
  most(): number {
    if (this.#free) return Infinity;
    const ofBytes = Math.max(this.#bytes.left, LEAST_PIECE);
    const size = Math.max(this.#fragmentSize, this.#sinceCluster);
    const ofFragments = Math.max(this.#fragments.left, 1) * size;
    return Math.ceil(Math.min(ofBytes, Math.max(ofFragments, LEAST_OF_FRAGMENTS), MOST_PIECE));
  }

  /** Milliseconds until more may be sent. */
  wait(mono: number): number {
    if (this.#free) return 0;
    return Math.max(this.#fragments.wait(mono), this.#bytes.wait(mono));
  }

  /** Bytes of a body that are sent now. */
  sent(bytes: Uint8Array): void {
    if (this.#free) return;
    this.#bytes.take(bytes.length);
    this.#sinceCluster += bytes.length;
    const begun = clustersIn(bytes);
    if (begun === 0) return;
    this.#fragments.take(begun);
    this.#fragmentSize = this.#sinceCluster / begun;
    this.#sinceCluster = 0;
  }
}
