import type { Clock } from '../base/clock.js';
import type { ServiceErrorName } from './errors.js';
import type { ServiceLog } from './options.js';

/** Exceptions by which somebody is not let in. */
const REFUSALS: ReadonlySet<ServiceErrorName> = new Set([
  'AccessDeniedException',
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'NotAuthorizedException',
  'UnrecognizedClientException',
]);
/** How often a source is told of, ms. */
const TELL_EVERY = 60_000;
/** Refusals within a minute that are answered at once. */
const FREE = 5;
const FIRST_DELAY = 50;
/** Sources that are told apart; those beyond share one line. */
const MOST_SOURCES = 1000;

/** A call that was not let in. @internal */
export interface RefusedOne {
  readonly address: string;
  /** Undefined where nobody knows. */
  readonly user: string | undefined;
  readonly operation: string;
  readonly error: ServiceErrorName;
}

interface Source {
  readonly address: string;
  last: RefusedOne;
  /** Since it was told of. */
  count: number;
  /** Since it began; forgotten after a quiet minute. */
  total: number;
  toldAt: number;
  at: number;
}

/**
 * Tells of those who are refused, one line a minute for each address, and says how long their answer
 * is held back: a client that is denied asks again at once, and for ever. @internal
 */
export class Refusals {
  readonly #clock: Clock;
  readonly #log: ServiceLog;
  readonly #mostDelay: number;
  readonly #sources = new Map<string, Source>();

  /** `mostDelay`: longest time that an answer is held back, ms. */
  constructor(clock: Clock, log: ServiceLog, mostDelay: number) {
    this.#clock = clock;
    this.#log = log;
    this.#mostDelay = mostDelay;
  }

  /** Whether an exception is one that is told and held back. */
  static isRefusal(name: ServiceErrorName): boolean {
    return REFUSALS.has(name);
  }

  /** Counts a refusal; gives the ms to wait before it is answered. */
  add(refused: RefusedOne): number {
    const now = this.#clock.mono();
    const source = this.#sourceOf(refused, now);
    source.last = refused;
    source.count += 1;
    source.total += 1;
    source.at = now;
    if (now - source.toldAt >= TELL_EVERY) this.#tell(source, now);
    if (source.total <= FREE) return 0;
    return Math.min(this.#mostDelay, FIRST_DELAY * 2 ** Math.min(16, source.total - FREE - 1));
  }

  /** Tells of what has not been told, and forgets those who are quiet. */
  sweep(): void {
    const now = this.#clock.mono();
    for (const [key, source] of this.#sources) {
      if (source.count > 0 && now - source.toldAt >= TELL_EVERY) this.#tell(source, now);
      if (now - source.at >= TELL_EVERY) this.#sources.delete(key);
    }
  }

  #sourceOf(refused: RefusedOne, now: number): Source {
    const full = this.#sources.size >= MOST_SOURCES && !this.#sources.has(refused.address);
    const key = full ? 'others' : refused.address;
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    const made = { address: key, last: refused, count: 0, total: 0, toldAt: -Infinity, at: now };
    this.#sources.set(key, made);
    return made;
  }

  #tell(source: Source, now: number): void {
    const { user = 'somebody unknown', operation, error } = source.last;
    const times = source.count === 1 ? 'once' : `${String(source.count)} times`;
    const since = source.toldAt === -Infinity ? '' : ' in the last minute';
    this.#log('warn', `refused ${source.address} ${times}${since}`, { user, operation, error });
    source.count = 0;
    source.toldAt = now;
  }
}
