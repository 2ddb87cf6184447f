import { KvsError } from '../../base/errors.js';
import type { StreamClosedReport } from '../../providers/index.js';
import { waitWithin, type WaitOptions } from './wait.js';

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

  /**
   * Resolves with the report. Rejects with what `failed` was given, with `late()` after the time
   * limit, and with the signal's reason.
   */
  wait(options: WaitOptions, late: () => KvsError): Promise<StreamClosedReport> {
    if (this.#report !== undefined) return Promise.resolve(this.#report);
    return waitWithin(options, late, (resolve, reject) => {
      const onSettled = (end: StreamClosedReport | KvsError): void => {
        if (end instanceof KvsError) reject(end);
        else resolve(end);
      };
      this.#settled.add(onSettled);
      return () => this.#settled.delete(onSettled);
    });
  }

  #settle(end: StreamClosedReport | KvsError): void {
    for (const settled of [...this.#settled]) settled(end);
  }
}
