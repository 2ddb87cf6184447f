import { ServiceError } from './errors.js';
import type { Call } from './http/front.js';
import type { CheckedOptions } from './options.js';

interface Bucket {
  tokens: number;
  at: number;
  /** When it is full again at the latest. */
  fullAt: number;
}

/** Calls a second, by token buckets. @internal */
export class CallRates {
  readonly #options: Pick<CheckedOptions, 'limits' | 'clock'>;
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: Pick<CheckedOptions, 'limits' | 'clock'>) {
    this.#options = options;
  }

  /** Throws ClientLimitExceededException when the account calls the operation too often. */
  checkAccount({ operation, caller }: Call): void {
    const { accountReadRate, accountWriteRate } = this.#options.limits;
    const reads = /^(Describe|List|Get)/.test(operation.name);
    this.#take(`${operation.name} a ${caller.account}`, reads ? accountReadRate : accountWriteRate);
  }

  /** Throws ClientLimitExceededException when the operation is called on one stream too often. */
  checkStream({ operation }: Call, stream: number): void {
    this.#take(`${operation.name} s ${String(stream)}`, this.#options.limits.streamCallRate);
  }

  /** The same for a stream that a call is to make, by its name. */
  checkName({ operation, caller }: Call, name: string): void {
    const key = `${operation.name} n ${caller.account} ${name}`;
    this.#take(key, this.#options.limits.streamCallRate);
  }

  /** The same for HLS sessions, of which a few may be asked for at once, but not for long. */
  checkHlsSession({ operation }: Call, stream: number): void {
    const { hlsSessionRate, streamCallRate } = this.#options.limits;
    const burst = Math.max(hlsSessionRate, streamCallRate);
    this.#take(`${operation.name} l ${String(stream)}`, hlsSessionRate, burst);
  }

  /** Forgets buckets that are full again. */
  sweep(): void {
    const now = this.#options.clock.mono();
    for (const [key, bucket] of this.#buckets) {
      if (now >= bucket.fullAt) this.#buckets.delete(key);
    }
  }

  #take(key: string, rate: number, burst: number = rate): void {
    if (rate === Infinity) return;
    const now = this.#options.clock.mono();
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now, fullAt: now };
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * rate) / 1000);
    bucket.at = now;
    bucket.fullAt = now + (burst * 1000) / rate;
    this.#buckets.set(key, bucket);
    if (bucket.tokens < 1) {
      throw new ServiceError(
        'ClientLimitExceededException',
        `Rate exceeded: ${String(rate)} calls of this operation a second; try again later.`,
      );
    }
    bucket.tokens -= 1;
  }
}
