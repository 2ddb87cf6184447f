import { KvsError } from '../../base/errors.js';
import { checkWait, waitWithin, type WaitOptions } from '../session/wait.js';

/** Waits until one stream can be streamed to. @internal */
export class ReadyWait {
  readonly #stream: string;
  readonly #settled = new Set<(error: KvsError | undefined) => void>();
  #ready = false;
  #end: KvsError | undefined;

  constructor(stream: string) {
    this.#stream = stream;
  }

  /** The stream is ready. */
  ready(): void {
    this.#ready = true;
    this.#settle(undefined);
  }

  /** It begins anew. */
  again(): void {
    this.#ready = false;
  }

  /** The stream is gone, because of `error` or as it was asked to: it never will be ready. */
  ended(error: Error | null): void {
    this.#end = new KvsError({
      status: 'STATUS_INVALID_OPERATION',
      message: `stream '${this.#stream}' was closed before it was ready`,
      ...(error === null ? {} : { cause: error }),
    });
    this.#settle(this.#end);
  }

  async wait(options: WaitOptions): Promise<void> {
    checkWait('ready', options);
    const { timeoutMs = Infinity } = options;
    const late = (): KvsError =>
      new KvsError({
        status: 'STATUS_OPERATION_TIMED_OUT',
        message: `stream '${this.#stream}' was not ready within ${timeoutMs} ms; it is tried on`,
        retryable: true,
      });
    return waitWithin<void>(options, late, (resolve, reject) => {
      const onSettled = (error: KvsError | undefined): void => {
        if (error === undefined) resolve();
        else reject(error);
      };
      if (this.#ready || this.#end !== undefined) {
        onSettled(this.#end);
        return () => undefined;
      }
      this.#settled.add(onSettled);
      return () => this.#settled.delete(onSettled);
    });
  }

  #settle(error: KvsError | undefined): void {
    for (const settled of [...this.#settled]) settled(error);
  }
}
