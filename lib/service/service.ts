import { KvsError } from '../base/errors.js';
import { checkOptions, type ServiceOptions } from './options.js';

/** A running service. */
export interface KvsService {
  /** Where to reach it, for example `http://127.0.0.1:4100`. */
  readonly endpoint: string;
  /** Port it listens on. */
  readonly port: number;
  /** Takes no more calls, makes durable what was whole, ends open responses, closes the store. */
  close(): Promise<void>;
}

/**
 * Starts a Kinesis Video Streams service in this process and resolves when it takes calls.
 * Rejects with `KvsError`: an option breaks its rule, the port is taken, or the data directory
 * cannot be used.
 */
export async function startService(options: ServiceOptions): Promise<KvsService> {
  checkOptions(options);
  await Promise.resolve();
  throw new KvsError({ status: 'STATUS_NOT_IMPLEMENTED', message: 'startService: being written' });
}
