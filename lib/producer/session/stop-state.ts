import type { KvsError } from '../../base/errors.js';
import type { StreamClosedReport } from '../../providers/index.js';
import { waitWithin, type WaitOptions } from './wait.js';

/**
 * `running`: takes frames. `stopping`: takes no more. `closed`: the core has said `streamClosed`.
 * `freed`: its part of the core is gone.
 */
type Phase = 'running' | 'stopping' | 'closed' | 'freed';

/**
 * Whether a stream takes frames, and whether everything that it held is acknowledged. Each start and
 * each reset begins a generation: what the core has said until then is taken before (`ProducerHost.
 * begin`), and so is never heard of the one that follows. @internal
 */
export class StopState {
  #phase: Phase = 'running';
  #report: StreamClosedReport | undefined;
  /** Told to those who wait, and those who wait. */
  readonly #waiters = new Set<(end: StreamClosedReport | undefined, error?: KvsError) => void>();

  /** Whether it takes frames. */
  get running(): boolean {
    return this.#phase === 'running';
  }

  /** Whether its part of the core is gone. */
  get freed(): boolean {
    return this.#phase === 'freed';
  }

  /** Whether the core holds nothing any more, since all of it is acknowledged. */
  get done(): boolean {
    return this.#report?.status === 'STATUS_SUCCESS';
  }

  /** No more frames are taken. Answers whether they were until now. */
  stop(): boolean {
    if (this.#phase !== 'running') return false;
    this.#phase = 'stopping';
    return true;
  }

  /** The core has said `streamClosed`. */
  closed(report: StreamClosedReport): void {
    if (this.#phase === 'freed') return;
    this.#phase = 'closed';
    this.#report = report;
    for (const settle of [...this.#waiters]) settle(report);
  }

  /** Frames are taken again; who still waits for the end gets `error`. */
  begin(error: KvsError): void {
    this.#phase = 'running';
    this.#report = undefined;
    for (const settle of [...this.#waiters]) settle(undefined, error);
  }

  /** The core's part is gone. What it had said stays; who waits for more gets `error`. */
  free(error: KvsError): void {
    this.#phase = 'freed';
    for (const settle of [...this.#waiters]) settle(undefined, error);
  }

  /**
   * Resolves with what the core said. Rejects with what `begin` or `free` was given, with `late()` after
   * the time limit, and with the signal's reason.
   */
  wait(options: WaitOptions, late: () => KvsError): Promise<StreamClosedReport> {
    if (this.#report !== undefined) return Promise.resolve(this.#report);
    return waitWithin(options, late, (resolve, reject) => {
      const settle = (end: StreamClosedReport | undefined, error?: KvsError): void => {
        if (end === undefined) reject(error);
        else resolve(end);
      };
      this.#waiters.add(settle);
      return () => this.#waiters.delete(settle);
    });
  }
}
