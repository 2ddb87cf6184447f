import { STATUS, statusName, type StatusName } from '../generated/status.js';

/** What a `KvsError` is made from. */
export interface KvsErrorOptions {
  /** Status name of the guide; gives `code`. */
  readonly status: StatusName;
  /** What was being done, with what, which rule it broke, and what to do. */
  readonly message: string;
  /** Whether the same call may succeed later without a change by the caller. Default false. */
  readonly retryable?: boolean;
  /** The error underneath, always given when one is wrapped. */
  readonly cause?: unknown;
}

/**
 * The one error class of the package. `status` is the guide's name (`STATUS_…`), `code` its number;
 * the message says which rule was broken by what and what to do about it.
 */
export class KvsError extends Error {
  override readonly name: string = 'KvsError';
  /** Number of the status, for example 0x5200002e. */
  readonly code: number;
  /** Name of the status, for example `STATUS_STORE_OUT_OF_MEMORY`. */
  readonly status: StatusName;
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;

  constructor(options: KvsErrorOptions) {
    const code = STATUS[options.status];
    super(
      `${options.message} (${options.status}, 0x${code.toString(16).padStart(8, '0')})`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.status = options.status;
    this.retryable = options.retryable ?? false;
  }
}

/** Name of the status with this number; a number outside the table reads as an internal error. */
export function statusFromCode(code: number): StatusName {
  return statusName(code) ?? 'STATUS_INTERNAL_ERROR';
}

/** Marks a branch that the type checker proves cannot be reached. */
export function assertNever(value: never): never {
  throw new KvsError({
    status: 'STATUS_INTERNAL_ERROR',
    message: `unreachable branch taken with ${JSON.stringify(value)}; please report this as a bug`,
  });
}
