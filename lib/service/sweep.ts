import type { StreamRegistry } from './control/streams.js';
import type { CheckedOptions } from './options.js';
import type { FragmentStore, StreamRecord } from './store/types.js';

const INTERVAL = 10_000;
const HOUR = 3_600_000;

/** Frees media that its stream need not retain any longer. @internal */
export class Sweeper {
  readonly #store: FragmentStore;
  readonly #streams: StreamRegistry;
  readonly #options: CheckedOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(store: FragmentStore, streams: StreamRegistry, options: CheckedOptions) {
    this.#store = store;
    this.#streams = streams;
    this.#options = options;
  }

  /** At the start: what streams without retention held was a buffer, and buffers do not last. */
  async begin(): Promise<void> {
    for (const { record } of this.#streams.all()) {
      if (record.retentionHours === 0) await this.#store.clearStream(record.id);
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

  /** Frees what a stream need not keep as of now. */
  async sweep(record: StreamRecord): Promise<void> {
    const { clock, limits } = this.#options;
    const now = clock.wall();
    const retained = record.retentionHours > 0;
    const age = retained ? record.retentionHours * HOUR : limits.bufferDuration;
    let excess = retained ? 0 : (await this.#bytesOf(record)) - limits.bufferBytes;
    await this.#store.expire(record.id, (fragment) => {
      if (fragment.serverTime >= now - age && excess <= 0) return false;
      excess -= fragment.clusterBytes;
      return true;
    });
  }

  async #sweepAll(): Promise<void> {
    for (const { record, status } of this.#streams.all()) {
      if (status !== 'ACTIVE') continue;
      try {
        await this.sweep(record);
      } catch (error) {
        this.#options.log('error', `cannot free media of stream ${record.name}`, { error });
      }
    }
  }

  async #bytesOf(record: StreamRecord): Promise<number> {
    let bytes = 0;
    let from = 0n;
    for (;;) {
      const page = await this.#store.byNumber(record.id, { from, limit: 256 });
      const last = page.at(-1);
      if (last === undefined) return bytes;
      for (const fragment of page) bytes += fragment.clusterBytes;
      from = last.number + 1n;
    }
  }
}
