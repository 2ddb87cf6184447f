import { KvsError } from '../../base/errors.js';

/** How long something may be waited for. */
export interface WaitOptions {
  /** Milliseconds; without a limit by default. */
  readonly timeoutMs?: number;
  /** Stops the waiting. */
  readonly signal?: AbortSignal;
}

/** Begins to wait and answers how to give up; told once, by one of the two. @internal */
export type BeginWait<T> = (
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
) => () => void;

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Settles as what `begin` waits for does. Rejects with `late()` after the time limit, and with the
 * signal's reason. @internal
 */
export function waitWithin<T>(
  options: WaitOptions,
  late: () => Error,
  begin: BeginWait<T>,
): Promise<T> {
  const { timeoutMs = Infinity, signal } = options;
  const wrong = wrongLimit(timeoutMs);
  if (wrong !== undefined) return Promise.reject(wrong);
  return new Promise((resolve, reject) => {
    let giveUp = (): void => undefined;
    let lastTurn: NodeJS.Immediate | undefined;
    const leave = (): void => {
      clearTimeout(timer);
      clearImmediate(lastTurn);
      signal?.removeEventListener('abort', onAbort);
      giveUp();
    };
    const fail = (error: unknown): void => {
      leave();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const onAbort = (): void => {
      fail(signal?.reason);
    };
    // What has happened already is told first: it has a turn of its own.
    const onLate = (): void => {
      lastTurn = setImmediate(() => {
        fail(late());
      });
    };
    const timer = Number.isFinite(timeoutMs)
      ? setTimeout(onLate, Math.min(timeoutMs, LONGEST_TIMER_MS))
      : undefined;
    signal?.addEventListener('abort', onAbort, { once: true });
    giveUp = begin((value) => {
      leave();
      resolve(value);
    }, fail);
    if (signal?.aborted === true) onAbort();
  });
}

/** The error of a time limit that would never come. */
function wrongLimit(timeoutMs: unknown): KvsError | undefined {
  if (typeof timeoutMs === 'number' && !Number.isNaN(timeoutMs)) return undefined;
  const message = `timeoutMs is ${String(timeoutMs)}; give a number of milliseconds, or leave it out`;
  return new KvsError({ status: 'STATUS_INVALID_ARG', message });
}
