import { X509Certificate } from 'node:crypto';
import type { CheckedOptions, TlsOptions } from '../options.js';
import { isDue, openCertificate } from './generated.js';
import type { CertificateFiles, GeneratedCertificate } from './generated.js';

type KeeperOptions = Pick<
  CheckedOptions,
  'tls' | 'generateTls' | 'dataDir' | 'host' | 'tlsHosts' | 'clock' | 'log'
>;

/** Which key and certificate a service has: the user's, its own, or none. @internal */
export class TlsKeeper {
  readonly #options: KeeperOptions;
  #generated: CertificateFiles | undefined;
  #given: TlsOptions | undefined;
  #renewing = false;

  private constructor(options: KeeperOptions, generated: CertificateFiles | undefined) {
    this.#options = options;
    this.#generated = generated;
    this.#given = options.tls;
  }

  static async open(options: KeeperOptions): Promise<TlsKeeper> {
    const { generateTls, dataDir, host, tlsHosts, clock } = options;
    const names = [host, ...tlsHosts];
    const generated = generateTls ? await openCertificate(dataDir, names, clock.wall()) : undefined;
    return new TlsKeeper(options, generated);
  }

  /** What TLS is spoken with; undefined for plain HTTP. */
  get current(): TlsOptions | undefined {
    return this.#generated ?? this.#given;
  }

  /** When the certificate ends, ms since 1970; undefined without one. */
  get ends(): number | undefined {
    const cert = this.current?.cert;
    if (cert === undefined) return undefined;
    const ends = Date.parse(new X509Certificate(cert).validTo);
    return Number.isNaN(ends) ? undefined : ends;
  }

  /** What may be told of a generated certificate; not its key. */
  get certificate(): GeneratedCertificate | undefined {
    if (this.#generated === undefined) return undefined;
    const { path, fingerprint, expires } = this.#generated;
    return { path, fingerprint, expires };
  }

  /** Takes another key and certificate, or reads its own anew where none are given. */
  async replace(tls: TlsOptions | undefined): Promise<void> {
    const { dataDir, host, tlsHosts, clock } = this.#options;
    if (tls !== undefined) this.#given = tls;
    if (this.#generated === undefined) return;
    this.#generated = await openCertificate(dataDir, [host, ...tlsHosts], clock.wall());
  }

  /** Makes a new certificate when it is time, and hands it to `use`. */
  async renew(use: (tls: TlsOptions) => void): Promise<void> {
    const { dataDir, host, tlsHosts, clock, log } = this.#options;
    const now = clock.wall();
    if (this.#generated === undefined || this.#renewing || !isDue(this.#generated, now)) return;
    this.#renewing = true;
    try {
      this.#generated = await openCertificate(dataDir, [host, ...tlsHosts], now);
      use(this.#generated);
      const { path, fingerprint } = this.#generated;
      log('warn', `tls: ${path} is new; clients have to trust it`, { fingerprint });
    } catch (error) {
      log('error', 'tls: the certificate ends soon and could not be renewed', { error });
    } finally {
      this.#renewing = false;
    }
  }
}
