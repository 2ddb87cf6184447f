import { KvsError } from '../base/errors.js';
import type { StreamClosedReport } from '../providers/index.js';

/** How long something may be waited for. */
export interface WaitOptions {
  /** Milliseconds; without a limit by default. */
  readonly timeoutMs?: number;
  /** Stops the waiting. */
  readonly signal?: AbortSignal;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Waits for one stream's `streamClosed`. @internal */
export class CloseWait {
  readonly #settled = new Set<(end: StreamClosedReport | KvsError) => void>();
  #report: StreamClosedReport | undefined;

  /** The stream is closed. */
  closed(report: StreamClosedReport): void {
    this.#report = report;
    this.#settle(report);
  }

  /** The stream goes on, or is gone: those who wait get `error`. */
  failed(error: KvsError): void {
    this.#report = undefined;
    this.#settle(error);
  }

  /** The report of a stream that is closed already. */
  get report(): StreamClosedReport | undefined {
    return this.#report;
  }

  /**
   * Resolves with the report. Rejects with what `failed` was given, with `late()` after the time
   * limit, and with the signal's reason.
   */
  wait(options: WaitOptions, late: () => KvsError): Promise<StreamClosedReport> {
    if (this.#report !== undefined) return Promise.resolve(this.#report);
    const { timeoutMs = Infinity, signal } = options;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#settled.delete(onSettled);
      };
      const onSettled = (end: StreamClosedReport | KvsError): void => {
        leave();
        if (end instanceof KvsError) reject(end);
        else resolve(end);
      };
      const onAbort = (): void => {
        leave();
        reject(reasonOf(signal));
      };
      const onLate = (): void => {
        leave();
        reject(late());
      };
      const timer = Number.isFinite(timeoutMs)
        ? setTimeout(onLate, Math.min(timeoutMs, LONGEST_TIMER_MS))
        : undefined;
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#settled.add(onSettled);
      if (signal?.aborted === true) onAbort();
    });
  }

  #settle(end: StreamClosedReport | KvsError): void {
    for (const settled of [...this.#settled]) settled(end);
  }
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}
