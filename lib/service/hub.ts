import type { Lease, LiveTail, Tail } from './store/types.js';

/** A PutMedia session as its hub sees it. @internal */
export interface Producer {
  /** A newer session has come: finish the open fragment, then leave. */
  supersede(): void;
  /** The stream is gone. */
  streamDeleted(): void;
  /** Ends the session; resolves when nothing of it is under way. */
  stop(): Promise<void>;
}

/** A GetMedia reader as its hub sees it. @internal */
export interface Consumer {
  stop(): void;
}

/**
 * What one stream's sessions share while there are any: its lease, its end, who sends, who reads.
 * @internal
 */
export class StreamHub {
  readonly id: number;
  /** Gives the numbers of fragments. */
  readonly lease: Lease;
  /** Tells readers what is new. */
  readonly tail: Tail;
  readonly #producers = new Set<Producer>();
  readonly #consumers = new Set<Consumer>();
  /** Told when a producer has left. */
  readonly #waiting = new Set<() => void>();
  #deleted = false;

  constructor(id: number, live: LiveTail) {
    this.id = id;
    this.lease = live.lease(id);
    this.tail = live.tail(id);
  }

  get producers(): number {
    return this.#producers.size;
  }

  get consumers(): number {
    return this.#consumers.size;
  }

  get deleted(): boolean {
    return this.#deleted;
  }

  addProducer(producer: Producer): void {
    for (const older of this.#producers) older.supersede();
    this.#producers.add(producer);
  }

  removeProducer(producer: Producer): void {
    this.#producers.delete(producer);
    for (const done of [...this.#waiting]) done();
  }

  /** Resolves when fewer than `most` producers are left, or after `ms`. */
  async fewerProducers(most: number, ms: number): Promise<void> {
    if (this.#producers.size < most) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, ms);
      const waiting = this.#waiting;
      const check = (): void => {
        if (this.#producers.size < most) done();
      };
      function done(): void {
        clearTimeout(timer);
        waiting.delete(check);
        resolve();
      }
      waiting.add(check);
    });
  }

  addConsumer(consumer: Consumer): void {
    this.#consumers.add(consumer);
  }

  removeConsumer(consumer: Consumer): void {
    this.#consumers.delete(consumer);
  }

  /** Tells all sessions that the stream is gone; resolves when the producers have stopped. */
  async remove(): Promise<void> {
    this.#deleted = true;
    const producers = [...this.#producers];
    for (const producer of producers) producer.streamDeleted();
    for (const consumer of [...this.#consumers]) consumer.stop();
    this.tail.wake();
    await Promise.all(producers.map((producer) => producer.stop()));
  }

  /** Ends all sessions; resolves when the producers have stopped. */
  async stop(): Promise<void> {
    for (const consumer of [...this.#consumers]) consumer.stop();
    await Promise.all([...this.#producers].map((producer) => producer.stop()));
  }
}

/** The hubs of the streams that were used since the start. @internal */
export class HubMap {
  readonly #live: LiveTail;
  readonly #hubs = new Map<number, StreamHub>();

  constructor(live: LiveTail) {
    this.#live = live;
  }

  of(id: number): StreamHub {
    const known = this.#hubs.get(id);
    if (known !== undefined) return known;
    const hub = new StreamHub(id, this.#live);
    this.#hubs.set(id, hub);
    return hub;
  }

  /** Ends the sessions of a stream that is being deleted; its hub stays, so that late ones see it. */
  removed(id: number): Promise<void> {
    return this.of(id).remove();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#hubs.values()].map((hub) => hub.stop()));
  }
}
