import { readUint64 } from './values.js';

const NANOSECONDS_IN_MS = 1_000_000;
const DEFAULT_SCALE = 1_000_000;
/** Relative times are 16 bit: below this, adding one stays a safe integer. */
const MAX_TICKS = BigInt(Number.MAX_SAFE_INTEGER - 0x8000);

/** Turns the ticks of clusters and blocks into milliseconds, rounding once. @internal */
export class Timeline {
  #scale = DEFAULT_SCALE;
  #clusterTicks = 0;
  /** Milliseconds of a cluster time with more ticks than a number holds exactly, else 0. */
  #clusterBaseMs = 0;

  /** A new Segment: TimestampScale is its default again. */
  reset(): void {
    this.#scale = DEFAULT_SCALE;
  }

  /** Nanoseconds a tick. */
  setScale(nanoseconds: number): void {
    this.#scale = nanoseconds;
  }

  /** The data of a cluster's Timestamp element. */
  setCluster(data: Uint8Array): void {
    const ticks = readUint64(data);
    const exact = ticks <= MAX_TICKS;
    this.#clusterTicks = exact ? Number(ticks) : 0;
    this.#clusterBaseMs = 0;
    if (exact) return;
    const nanoseconds = ticks * BigInt(this.#scale);
    const million = BigInt(NANOSECONDS_IN_MS);
    this.#clusterBaseMs =
      Number(nanoseconds / million) + Number(nanoseconds % million) / NANOSECONDS_IN_MS;
  }

  /** Milliseconds of a block's time relative to the cluster. */
  at(relative: number): number {
    return this.#clusterBaseMs + this.#toMs(this.#clusterTicks + relative);
  }

  #toMs(ticks: number): number {
    if (this.#scale === NANOSECONDS_IN_MS) return ticks;
    const millions = Math.trunc(ticks / NANOSECONDS_IN_MS);
    const rest = ticks - millions * NANOSECONDS_IN_MS;
    return millions * this.#scale + (rest * this.#scale) / NANOSECONDS_IN_MS;
  }

  /** Milliseconds of a number of ticks. */
  durationMs(ticks: number): number {
    return this.#toMs(ticks);
  }
}
