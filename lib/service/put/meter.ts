import type { Clock } from '../../base/clock.js';
import type { StreamMeter } from '../metrics/meter.js';
import type { WholeFragment } from './ingest.js';

/** When a fragment's last byte came, and when it was found to be whole. @internal */
export interface WholeTimes {
  readonly last: number;
  readonly whole: number;
}

/** Measures one PutMedia session; times are of the monotonic clock. @internal */
export class PutMeter {
  readonly #meter: StreamMeter;
  readonly #clock: Clock;
  /** When the first and the last byte so far of the open fragment came. */
  #first = 0;
  #last = 0;

  constructor(meter: StreamMeter, clock: Clock) {
    this.#meter = meter;
    this.#clock = clock;
  }

  opened(): void {
    this.#meter.add('PutMedia.ActiveConnections', 1);
  }

  closed(): void {
    this.#meter.add('PutMedia.ActiveConnections', -1);
  }

  received(bytes: number): void {
    this.#meter.add('PutMedia.IncomingBytes', bytes);
  }

  begin(): void {
    this.#first = this.#clock.mono();
    this.#last = this.#first;
  }

  /** Bytes of the open fragment have come. */
  touch(): void {
    this.#last = this.#clock.mono();
  }

  buffering(sent: boolean): void {
    if (sent) this.#meter.add('PutMedia.BufferingAckLatency', this.#clock.mono() - this.#first);
  }

  /** The open fragment is whole, and whether its Received ack was sent. */
  whole({ frames }: WholeFragment, acked: boolean): WholeTimes {
    const times = { last: this.#last, whole: this.#clock.mono() };
    this.#meter.add('PutMedia.IncomingFragments');
    this.#meter.add('PutMedia.IncomingFrames', frames);
    this.#meter.add('PutMedia.FragmentIngestionLatency', times.last - this.#first);
    if (acked) this.#meter.add('PutMedia.ReceivedAckLatency', times.whole - times.last);
    return times;
  }

  stored(): void {
    this.#meter.add('PutMedia.Success', 1);
  }

  /** A fragment is durable, and whether its Persisted ack was sent. */
  persisted({ last, whole }: WholeTimes, acked: boolean): void {
    const now = this.#clock.mono();
    this.#meter.add('PutMedia.FragmentPersistLatency', now - whole);
    if (acked) this.#meter.add('PutMedia.PersistedAckLatency', now - last);
  }

  /** A fragment that began is not stored. */
  failed(): void {
    this.#meter.add('PutMedia.Success', 0);
  }

  errorAck(sent: boolean): void {
    if (sent) this.#meter.add('PutMedia.ErrorAckCount');
  }
}
