import { KvsError } from '../base/errors.js';
import { checkCredentials, checkTls } from './options.js';
import type { CheckedOptions, ServiceCredentials, TlsOptions } from './options.js';

/** What a running service takes anew; what is left out stays as it is. */
export interface ReloadOptions {
  /** Not `'open'` where there were keys, nor the other way. */
  readonly credentials?: ServiceCredentials;
  /** Where the service speaks HTTPS with a certificate that it was given. */
  readonly tls?: TlsOptions;
}

/** Throws `KvsError` where a running service cannot take the changes. @internal */
export function checkReload(
  options: Pick<CheckedOptions, 'host' | 'credentials' | 'tls'>,
  { credentials = options.credentials, tls }: ReloadOptions,
): void {
  if ((credentials === 'open') !== (options.credentials === 'open')) {
    bad('access keys cannot be added to an open service, nor taken from one that has some');
  }
  checkCredentials({ host: options.host, credentials });
  if (tls === undefined) return;
  if (options.tls === undefined) bad('only a service that was started with tls takes another');
  checkTls(tls);
}

function bad(message: string): never {
  throw new KvsError({ status: 'STATUS_INVALID_ARG', message: `reload: ${message}` });
}
