import type { StreamRegistry } from './control/streams.js';
import type { Tally } from './operate/tally.js';
import type { CheckedOptions } from './options.js';
import type { FragmentStore, StreamRecord } from './store/types.js';

const INTERVAL = 10_000;
const HOUR = 3_600_000;
const PAGE = 256;
const NOTHING = { number: 0n, clusterBytes: 0 } as const;
/** No number is as high. */
const EVERYTHING = { kind: 'number', before: (1n << 160n) - 1n } as const;

/** Frees media that its stream need not retain any longer. @internal */
export class Sweeper {
  readonly #store: FragmentStore;
  readonly #streams: StreamRegistry;
  readonly #options: CheckedOptions;
  readonly #tally: Tally;
  /** Bytes that streams without retention hold. */
  readonly #buffers = new Map<number, number>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    store: FragmentStore,
    streams: StreamRegistry,
    options: CheckedOptions,
    tally: Tally,
  ) {
    this.#store = store;
    this.#streams = streams;
    this.#options = options;
    this.#tally = tally;
  }

  /**
   * At the start: what streams without retention held was a buffer, and buffers do not last; what
   * grew too old meanwhile is not shown even once.
   */
  async begin(): Promise<void> {
    for (const { record } of this.#streams.all()) {
      if (record.retentionHours === 0) await this.#store.index.expire(record.id, EVERYTHING);
      else await this.#sweepOne(record);
    }
  }

  /** Sweeps from time to time, and does `also`. */
  every(also: () => void): void {
    this.#timer = setInterval(() => {
      also();
      this.#running = this.#running.then(() => this.#sweepAll());
    }, INTERVAL);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** Counts bytes that a stream without retention buffers; frees the oldest when they are many. */
  buffered(record: StreamRecord, bytes: number): void {
    const held = (this.#buffers.get(record.id) ?? 0) + bytes;
    this.#buffers.set(record.id, held);
    if (held <= this.#options.limits.bufferBytes) return;
    this.#running = this.#running.then(() => this.#sweepOne(record));
  }

  /** Frees what a stream need not keep as of now. */
  async sweep(record: StreamRecord): Promise<void> {
    const { clock, limits } = this.#options;
    const now = clock.wall();
    const retained = record.retentionHours > 0;
    const age = retained ? record.retentionHours * HOUR : limits.bufferDuration;
    await this.#store.index.expire(record.id, { kind: 'server', before: now - age });
    if (retained) this.#buffers.delete(record.id);
    else await this.#shrink(record, limits.bufferBytes);
  }

  /** Frees the oldest of a buffer that holds too much. */
  async #shrink({ id }: StreamRecord, most: number): Promise<void> {
    const { index } = this.#store;
    let held = 0;
    let before: bigint | undefined;
    for (;;) {
      const page = await index.byNumber(id, {
        ...(before !== undefined && { before }),
        ...{ limit: PAGE, order: 'descending' },
      });
      const kept = page.findIndex(({ clusterBytes }) => (held += clusterBytes) > most);
      if (kept !== -1) {
        const { number, clusterBytes } = page[kept] ?? NOTHING;
        await index.expire(id, { kind: 'number', before: number + 1n });
        this.#buffers.set(id, held - clusterBytes);
        return;
      }
      before = page.at(-1)?.number;
      if (before === undefined || page.length < PAGE) break;
    }
    this.#buffers.set(id, held);
  }

  async #sweepAll(): Promise<void> {
    for (const { record, status } of this.#streams.all()) {
      if (status === 'ACTIVE') await this.#sweepOne(record);
    }
  }

  async #sweepOne(record: StreamRecord): Promise<void> {
    this.#tally.sweeps += 1;
    try {
      await this.sweep(record);
    } catch (error) {
      this.#tally.sweepFailures += 1;
      this.#options.log('error', `cannot free media of stream ${record.name}`, { error });
    }
  }
}
