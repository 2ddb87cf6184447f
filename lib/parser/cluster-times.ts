import { MKV_ID } from '../generated/elements.js';
import { copyEvent, type WriteBytes } from './copy.js';
import { writeHeader, vintWidth } from './ebml.js';
import type { MkvDataElement, MkvEvent } from './events.js';
import { readUint64 } from './values.js';

const CLUSTER_HEADER_BYTES = 12;
const TIMESTAMP_BYTES = 8;
const NANOSECONDS_IN_MS = 1_000_000;
/** Producer times have whole milliseconds, and a device's clock is nudged a little now and then. */
const STRAY_MS = 20;

/** Children of a Cluster that are wrong once it stands elsewhere or has another time. */
const NOT_KEPT: ReadonlySet<number> = new Set<number>([
  MKV_ID.CRC32,
  MKV_ID.POSITION,
  MKV_ID.PREV_SIZE,
  MKV_ID.VOID,
]);

/**
 * Writes clusters with times that begin at zero and never go back: where cluster times go back, or
 * stray from the producer's clock (a new session of relative times), a cluster follows by that
 * clock where it is known, else one tick after the last block.
 * @internal
 */
export class ClusterTimes {
  readonly #write: WriteBytes;
  /** Input ticks of output time zero; undefined before the first cluster. */
  #origin: bigint | undefined;
  #lastInput = 0n;
  #lastProducerMs: number | undefined;
  /** Output ticks of the newest block. */
  #newest = 0n;
  #scale = NANOSECONDS_IN_MS;

  constructor(write: WriteBytes) {
    this.#write = write;
  }

  /** A new output segment begins at time zero. */
  reset(scale: number): void {
    this.#origin = undefined;
    this.#newest = 0n;
    this.#scale = scale;
  }

  /** Takes an event of a Cluster, its own start included. */
  add(event: MkvEvent, producerMs: number | undefined): void {
    if (NOT_KEPT.has(event.id)) return;
    if (event.kind === 'masterStart' && event.id === MKV_ID.CLUSTER) {
      this.#write(writeHeader(MKV_ID.CLUSTER, undefined, CLUSTER_HEADER_BYTES));
      return;
    }
    if (event.kind === 'element' && event.id === MKV_ID.TIMESTAMP) {
      this.#writeTime(readUint64(event.data), producerMs);
      return;
    }
    if (event.kind === 'element') this.#noteBlock(event);
    copyEvent(event, this.#write);
  }

  #writeTime(input: bigint, producerMs: number | undefined): void {
    if (this.#origin === undefined) this.#origin = input;
    else if (input < this.#lastInput || this.#strays(input, producerMs)) {
      this.#origin = input - this.#following(this.#lastInput - this.#origin, producerMs);
    }
    this.#lastInput = input;
    this.#lastProducerMs = producerMs;
    const output = input - this.#origin;
    if (output > this.#newest) this.#newest = output;
    const data = new Uint8Array(TIMESTAMP_BYTES);
    new DataView(data.buffer).setBigUint64(0, output);
    this.#write(writeHeader(MKV_ID.TIMESTAMP, TIMESTAMP_BYTES));
    this.#write(data);
  }

  /** Whether cluster times and the producer's clock went on differently: another session began. */
  #strays(input: bigint, producerMs: number | undefined): boolean {
    if (producerMs === undefined || this.#lastProducerMs === undefined) return false;
    const byTicks = Number(input - this.#lastInput) * (this.#scale / NANOSECONDS_IN_MS);
    return Math.abs(byTicks - (producerMs - this.#lastProducerMs)) > STRAY_MS;
  }

  /** The output time of a cluster whose own time went back, after one at `last`. */
  #following(last: bigint, producerMs: number | undefined): bigint {
    const after = this.#newest + 1n;
    if (producerMs === undefined || this.#lastProducerMs === undefined) return after;
    const gapMs = producerMs - this.#lastProducerMs;
    const byClock = last + BigInt(Math.round((gapMs * NANOSECONDS_IN_MS) / this.#scale));
    return byClock > after ? byClock : after;
  }

  #noteBlock({ id, data }: MkvDataElement): void {
    if (id !== MKV_ID.SIMPLE_BLOCK && id !== MKV_ID.BLOCK) return;
    const width = vintWidth(data[0] ?? 0);
    const relative = (((data[width] ?? 0) << 24) >> 16) | (data[width + 1] ?? 0);
    const time = this.#lastInput - (this.#origin ?? 0n) + BigInt(relative);
    if (time > this.#newest) this.#newest = time;
  }
}
