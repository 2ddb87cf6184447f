/** AWS credentials. The same shape as AWS SDK v3 identities, so that any SDK provider fits. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When they stop being valid; absent for long-lived keys. */
  readonly expiration?: Date;
}

/**
 * Gives credentials, fresh ones each time it is asked near expiry. Any AWS SDK v3 provider fits.
 * `forceRefresh` says that the service has refused what it gave last, so that what a provider keeps is
 * not good, whatever this machine's clock says; one that keeps nothing need not look at it.
 */
export type CredentialProvider = (options?: {
  readonly forceRefresh?: boolean;
}) => Promise<Credentials>;
