import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { isWildcard } from '../endpoints.js';
import { readPrivate, replaceFile, writePrivate } from '../private-file.js';
import { selfSigned } from './certificate.js';

const DAY = 86_400_000;
/** The longest life that clients of today accept, ms. */
const LIFE = 825 * DAY;
/** A new certificate is made when the old one lasts no longer than this, ms. */
const RENEW = 30 * DAY;

/** A certificate that the service made for itself, and keeps in its data directory. */
export interface GeneratedCertificate {
  /** Absolute path of the certificate, PEM: what clients are told to trust. */
  readonly path: string;
  /** SHA-256 fingerprint, hexadecimal with colons. */
  readonly fingerprint: string;
  /** When it ends, ms since 1970; the service makes a new one 30 days before. */
  readonly expires: number;
}

/** The same with what TLS needs, PEM. @internal */
export interface CertificateFiles extends GeneratedCertificate {
  readonly key: string;
  readonly cert: string;
}

/**
 * The certificate in `dataDir`, made when there is none that is good for these names for another
 * 30 days. Rejects with `KvsError` when others than its owner may read the key, or nobody can, or it
 * cannot be written. @internal
 */
export async function openCertificate(
  dataDir: string,
  names: readonly string[],
  now: number,
): Promise<CertificateFiles> {
  const directory = resolve(dataDir, 'tls');
  const keyPath = join(directory, 'key.pem');
  const path = join(directory, 'cert.pem');
  const hosts = hostsOf(names);
  const kept = await readKept(keyPath, path);
  if (kept !== undefined && isGood(kept, hosts, now)) return describe(path, kept.key, kept.cert);
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  // Clients whose clocks are a little late find it valid, too.
  const cert = selfSigned(pair, { hosts, from: now - DAY, to: now + LIFE });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writePrivate(keyPath, key);
  await replaceFile(path, cert, 0o644);
  return describe(path, key, cert);
}

/** Whether it is time for a new one. @internal */
export function isDue({ expires }: GeneratedCertificate, now: number): boolean {
  return expires - now <= RENEW;
}

/** Names that clients may call the service by. */
function hostsOf(names: readonly string[]): string[] {
  const called = names.map((name) => (isWildcard(name) ? hostname() : name));
  return [...new Set(['localhost', '127.0.0.1', '::1', ...called])];
}

function describe(path: string, key: string, cert: string): CertificateFiles {
  const parsed = new X509Certificate(cert);
  const expires = Date.parse(parsed.validTo);
  return { path, key, cert, fingerprint: parsed.fingerprint256, expires };
}

async function readKept(
  keyPath: string,
  path: string,
): Promise<{ key: string; cert: string } | undefined> {
  const key = await readPrivate(keyPath);
  const cert = await readFile(path, 'utf8').catch(() => undefined);
  if (key === undefined || cert === undefined) return undefined;
  return { key: key.bytes.toString(), cert };
}

/** What is damaged, does not go together, or is for other hosts, is replaced. */
function isGood(
  { key, cert }: { key: string; cert: string },
  hosts: readonly string[],
  now: number,
): boolean {
  try {
    const parsed = new X509Certificate(cert);
    if (!parsed.checkPrivateKey(createPrivateKey(key))) return false;
    if (Date.parse(parsed.validFrom) > now || Date.parse(parsed.validTo) - now <= RENEW)
      return false;
    return hosts.every((host) => isFor(parsed, host));
  } catch {
    return false;
  }
}

/** Whether a certificate is for a host name or an address. @internal */
export function isFor(certificate: X509Certificate, host: string): boolean {
  const name = isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host);
  return name !== undefined;
}
