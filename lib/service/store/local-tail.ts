import { randomBytes } from 'node:crypto';
import type { FragmentMeta, Lease, LiveTail, Tail } from './types.js';

/** Sequence numbers that are reserved at once. */
const RESERVE = 2 ** 20;

type Newest = Pick<FragmentMeta, 'number' | 'serverTime'>;

/** Reserves so many sequence numbers, durably; gives the first. @internal */
export type Reserve = (id: number, count: number) => Promise<number>;

/** One stream of a process that owns them all: who gives numbers, how far readers may go. */
class LocalStream implements Lease, Tail {
  readonly stream: number;
  readonly epoch = 1;
  readonly #reserveNumbers: Reserve;
  /** Numbers given to fragments that are neither readable nor given up yet. */
  readonly #open = new Set<bigint>();
  #newest: Newest | undefined;
  #next = 0;
  #reservedTo = 0;
  #reserving: Promise<void> | undefined;
  #version = 0;
  #waiters = new Set<() => void>();

  constructor(stream: number, reserve: Reserve) {
    this.stream = stream;
    this.#reserveNumbers = reserve;
  }

  get version(): number {
    return this.#version;
  }

  get newest(): Newest | undefined {
    return this.#newest;
  }

  async ready(): Promise<void> {
    if (this.#next < this.#reservedTo) return;
    await this.#reserve();
  }

  openNumber(serverTime: number): bigint {
    if (this.#next >= this.#reservedTo) throw new Error('no fragment numbers are reserved');
    const sequence = this.#next;
    this.#next += 1;
    // A failure is met again by `ready`, or above, when there are no numbers left.
    if (this.#next > this.#reservedTo - RESERVE / 2) this.#reserve().catch(() => undefined);
    const random = randomBytes(4).readUInt32BE() & 0x0fff_ffff;
    const number =
      (1n << 156n) |
      (BigInt(sequence) << 92n) |
      (BigInt(Math.max(0, Math.floor(serverTime))) << 28n) |
      BigInt(random);
    this.#open.add(number);
    return number;
  }

  readable({ number, serverTime }: Newest): void {
    if (this.#newest === undefined || number > this.#newest.number) {
      this.#newest = { number, serverTime };
    }
    this.closeNumber(number);
  }

  closeNumber(number: bigint): void {
    this.#open.delete(number);
    this.wake();
  }

  horizon(): bigint | undefined {
    let lowest: bigint | undefined;
    for (const number of this.#open) if (lowest === undefined || number < lowest) lowest = number;
    return lowest;
  }

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

  wake(): void {
    this.#version += 1;
    for (const waiter of [...this.#waiters]) waiter();
  }

  #reserve(): Promise<void> {
    this.#reserving ??= this.#reserveNumbers(this.stream, RESERVE)
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

/** The `LiveTail` of a process that alone uses its store. @internal */
export class LocalTail implements LiveTail {
  readonly #reserve: Reserve;
  readonly #streams = new Map<number, LocalStream>();

  constructor(reserve: Reserve) {
    this.#reserve = reserve;
  }

  lease(id: number): Lease {
    return this.#of(id);
  }

  tail(id: number): Tail {
    return this.#of(id);
  }

  #of(id: number): LocalStream {
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    const stream = new LocalStream(id, this.#reserve);
    this.#streams.set(id, stream);
    return stream;
  }
}
