import { randomBytes } from 'node:crypto';
import type { FragmentMeta, FragmentStore } from './store/types.js';

/** Sequence numbers that are reserved on disk at once. */
const RESERVE = 2 ** 20;

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
 * What one stream's sessions share while there are any: fragment numbers, who sends, who reads,
 * and the news that a fragment can be read. @internal
 */
export class StreamHub {
  readonly id: number;
  readonly #store: FragmentStore;
  readonly #producers = new Set<Producer>();
  readonly #consumers = new Set<Consumer>();
  /** Numbers given to fragments that are neither readable nor given up yet. */
  readonly #open = new Set<bigint>();
  #newest: Pick<FragmentMeta, 'number' | 'serverTime'> | undefined;
  #next = 0;
  #reservedTo = 0;
  #reserving: Promise<void> | undefined;
  #version = 0;
  #waiters = new Set<() => void>();
  #deleted = false;

  constructor(id: number, store: FragmentStore) {
    this.id = id;
    this.#store = store;
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

  /** Grows with every fragment that became readable. */
  get version(): number {
    return this.#version;
  }

  /** Resolves when fragment numbers can be given. */
  async ready(): Promise<void> {
    if (this.#next < this.#reservedTo) return;
    await this.#reserve();
  }

  addProducer(producer: Producer): void {
    for (const older of this.#producers) older.supersede();
    this.#producers.add(producer);
  }

  removeProducer(producer: Producer): void {
    this.#producers.delete(producer);
  }

  addConsumer(consumer: Consumer): void {
    this.#consumers.add(consumer);
  }

  removeConsumer(consumer: Consumer): void {
    this.#consumers.delete(consumer);
  }

  /**
   * A new fragment's number, in the form that the service of AWS gives:
   * `1 << 156 | sequence << 92 | server time in ms << 28 | 28 random bits`.
   */
  openNumber(serverTime: number): bigint {
    if (this.#next >= this.#reservedTo) throw new Error('no fragment numbers are reserved');
    const sequence = this.#next;
    this.#next += 1;
    if (this.#next > this.#reservedTo - RESERVE / 2) void this.#reserve();
    const random = randomBytes(4).readUInt32BE() & 0x0fff_ffff;
    const number =
      (1n << 156n) |
      (BigInt(sequence) << 92n) |
      (BigInt(Math.max(0, Math.floor(serverTime))) << 28n) |
      BigInt(random);
    this.#open.add(number);
    return number;
  }

  /** The newest fragment that became readable since the start; undefined before the first. */
  get newest(): Pick<FragmentMeta, 'number' | 'serverTime'> | undefined {
    return this.#newest;
  }

  /** The fragment can be read now. */
  readable({ number, serverTime }: FragmentMeta): void {
    if (this.#newest === undefined || number > this.#newest.number) {
      this.#newest = { number, serverTime };
    }
    this.closeNumber(number);
  }

  /** The fragment can be read now, or never will be. */
  closeNumber(number: bigint): void {
    this.#open.delete(number);
    this.#changed();
  }

  /** Readers must not go past this number: what lies before it may still come. */
  horizon(): bigint | undefined {
    let lowest: bigint | undefined;
    for (const number of this.#open) if (lowest === undefined || number < lowest) lowest = number;
    return lowest;
  }

  /** Resolves when `version` is no longer the one given, or when the signal aborts. */
  async newerThan(version: number, signal: AbortSignal): Promise<void> {
    if (this.#version !== version || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#waiters.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiters.add(done);
      signal.addEventListener('abort', done);
    });
  }

  /** Tells all sessions that the stream is gone; resolves when the producers have stopped. */
  async remove(): Promise<void> {
    this.#deleted = true;
    const producers = [...this.#producers];
    for (const producer of producers) producer.streamDeleted();
    for (const consumer of [...this.#consumers]) consumer.stop();
    this.#changed();
    await Promise.all(producers.map((producer) => producer.stop()));
  }

  /** Ends all sessions; resolves when the producers have stopped. */
  async stop(): Promise<void> {
    for (const consumer of [...this.#consumers]) consumer.stop();
    await Promise.all([...this.#producers].map((producer) => producer.stop()));
  }

  #changed(): void {
    this.#version += 1;
    for (const waiter of [...this.#waiters]) waiter();
  }

  #reserve(): Promise<void> {
    this.#reserving ??= this.#store
      .reserve(this.id, RESERVE)
      .then((first) => {
        if (this.#next >= this.#reservedTo) this.#next = first;
        this.#reservedTo = first + RESERVE;
      })
      .finally(() => {
        this.#reserving = undefined;
      });
    return this.#reserving;
  }
}

/** The hubs of the streams that were used since the start. @internal */
export class HubMap {
  readonly #store: FragmentStore;
  readonly #hubs = new Map<number, StreamHub>();

  constructor(store: FragmentStore) {
    this.#store = store;
  }

  of(id: number): StreamHub {
    const known = this.#hubs.get(id);
    if (known !== undefined) return known;
    const hub = new StreamHub(id, this.#store);
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
