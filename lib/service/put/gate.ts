import type { IncomingMessage } from 'node:http';

/** Stops the reading of a body while something else must come first. @internal */
export class BodyGate {
  readonly #request: IncomingMessage;
  readonly #failed: (error: unknown) => void;
  #waiting = false;
  #open: Promise<void> = Promise.resolve();

  /** `failed` is told when what is waited for fails. */
  constructor(request: IncomingMessage, failed: (error: unknown) => void) {
    this.#request = request;
    this.#failed = failed;
  }

  /** Whether the body is not being read. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Resolves when nothing is waited for. */
  get open(): Promise<void> {
    return this.#open;
  }

  /** Stops reading until `reason` is done; does nothing while it waits already. */
  hold(reason: () => Promise<void>): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#open = this.#hold(reason);
  }

  async #hold(reason: () => Promise<void>): Promise<void> {
    this.#request.pause();
    try {
      await reason();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#waiting = false;
      this.#request.resume();
    }
  }
}
