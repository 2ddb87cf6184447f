import { KvsError } from '../../base/errors.js';
import { unknownName } from '../../base/known-names.js';

/** How long something may be waited for. */
export interface WaitOptions {
  /** Milliseconds from 0 on; Infinity, and what stands in the call's own text, when left out. */
  readonly timeoutMs?: number | undefined;
  /** Stops the waiting. */
  readonly signal?: AbortSignal | undefined;
}

/** Begins to wait and answers how to give up; told once, by one of the two. @internal */
export type BeginWait<T> = (
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
) => () => void;

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Checks options before anything is done with them. Throws `KvsError`, which names `call` and the type
 * that was given. @internal
 */
export function checkWait(call: string, options: WaitOptions): void {
  const given: unknown = options;
  if (typeof given !== 'object' || given === null) {
    refuseWait(call, `the options are ${spelledWithType(given)}; give an object`);
  }
  const unknown = unknownName(given, ['timeoutMs', 'signal']);
  if (unknown !== undefined) refuseWait(call, `the option ${unknown}`);
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs >= 0)) {
    const what = `timeoutMs is ${spelledWithType(timeoutMs)}`;
    refuseWait(call, `${what}; give a number of milliseconds from 0 on, or leave it out`);
  }
  if (signal !== undefined && !isSignal(signal)) {
    refuseWait(call, `signal is ${spelledWithType(signal)}; give an AbortSignal, or leave it out`);
  }
}

function refuseWait(call: string, what: string): never {
  throw new KvsError({ status: 'STATUS_INVALID_ARG', message: `${call}: ${what}` });
}

/** A signal of any realm. */
function isSignal(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'aborted' in value &&
    'addEventListener' in value &&
    typeof value.addEventListener === 'function'
  );
}

function spelledWithType(value: unknown): string {
  if (typeof value === 'string') return `the text '${value.slice(0, 40)}'`;
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return `${value}`;
  return Array.isArray(value) ? 'a list' : `of type ${typeof value}`;
}

function after(ms: number, call: () => void): NodeJS.Timeout | undefined {
  return ms === Infinity ? undefined : setTimeout(call, Math.min(ms, LONGEST_TIMER_MS));
}

/**
 * Settles as what `begin` waits for does. Rejects with `late()` after the time limit, and with the
 * signal's reason. The options have been checked. @internal
 */
export function waitWithin<T>(
  options: WaitOptions,
  late: () => Error,
  begin: BeginWait<T>,
): Promise<T> {
  const { timeoutMs = Infinity, signal } = options;
  return new Promise((resolve, reject) => {
    let giveUp = (): void => undefined;
    let lastTurn: NodeJS.Immediate | undefined;
    let settled = false;
    const leave = (): void => {
      settled = true;
      clearTimeout(timer);
      clearImmediate(lastTurn);
      signal?.removeEventListener('abort', onAbort);
      giveUp();
    };
    const fail = (error: unknown): void => {
      leave();
      reject(error);
    };
    const onAbort = (): void => {
      fail(signal?.reason);
    };
    // What has happened already is told first: it has a turn of its own.
    const timer = after(timeoutMs, () => {
      lastTurn = setImmediate(() => {
        fail(late());
      });
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    const stop = begin((value) => {
      leave();
      resolve(value);
    }, fail);
    if (settled) stop();
    else giveUp = stop;
    if (!settled && signal?.aborted === true) onAbort();
  });
}
