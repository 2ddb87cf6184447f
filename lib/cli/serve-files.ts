import { readFile } from 'node:fs/promises';
import { KvsError } from '../base/errors.js';
import type { ServiceCredentials, TlsOptions } from '../service/index.js';
import { readCredentialsFile } from './credentials-file.js';

/** The files that `kvs serve` reads at its start, and again on SIGHUP. */
export interface ServeFiles {
  readonly credentials?: string;
  readonly tls?: boolean;
  readonly tlsKey?: string;
  readonly tlsCert?: string;
}

/** Who may call, as the credentials file has it. */
export async function readCredentials({ credentials }: ServeFiles): Promise<ServiceCredentials> {
  return credentials === undefined ? 'open' : readCredentialsFile(credentials);
}

/** The key and the certificate; undefined for plain HTTP. */
export async function readTls({
  tls,
  tlsKey,
  tlsCert,
}: ServeFiles): Promise<TlsOptions | 'generated' | undefined> {
  if (tls === true && (tlsKey ?? tlsCert) !== undefined) {
    throw new KvsError({
      status: 'STATUS_INVALID_ARG',
      message: '--tls makes a certificate; leave out --tls-key and --tls-cert, or --tls',
    });
  }
  if (tlsKey === undefined && tlsCert === undefined) return tls === true ? 'generated' : undefined;
  if (tlsKey === undefined || tlsCert === undefined) {
    throw new KvsError({
      status: 'STATUS_INVALID_ARG',
      message: 'HTTPS takes both --tls-key and --tls-cert; one of them is missing',
    });
  }
  return { key: await readFile(tlsKey), cert: await readFile(tlsCert) };
}
