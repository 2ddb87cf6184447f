import { createHash, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIP, isIPv4 } from 'node:net';
import { TRUE, bits, der, moment, objectId, octets, positive, sequence, tagged } from './der.js';

const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';
const EXTENSION = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  altName: '2.5.29.17',
  constraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedUsage: '2.5.29.37',
} as const;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/** What a certificate says. Times are ms since 1970. @internal */
export interface CertificateFacts {
  /** Host names and addresses that it is for; the first one is its name. */
  readonly hosts: readonly string[];
  readonly from: number;
  readonly to: number;
}

/**
 * A certificate for a server that signs itself, PEM (RFC 5280, version 3). It is none of an
 * authority: who trusts it trusts this one server, and no certificate that its key may sign.
 * `key` is on the curve P-256. @internal
 */
export function selfSigned(
  key: { privateKey: KeyObject; publicKey: KeyObject },
  facts: CertificateFacts,
): string {
  const algorithm = sequence(objectId(ECDSA_SHA256));
  const spki = key.publicKey.export({ type: 'spki', format: 'der' });
  const [name = 'localhost'] = facts.hosts;
  const who = sequence(
    der(0x31, sequence(objectId(COMMON_NAME), der(0x0c, Buffer.from(`KVS service ${name}`)))),
  );
  const body = sequence(
    tagged(0, der(0x02, Uint8Array.of(2))),
    positive(randomBytes(16)),
    algorithm,
    who,
    sequence(moment(facts.from), moment(facts.to)),
    who,
    spki,
    tagged(3, sequence(...extensions(facts.hosts, keyId(spki)))),
  );
  const signed = sequence(body, algorithm, bits(sign('sha256', body, key.privateKey)));
  const lines =
    Buffer.from(signed)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

function extensions(hosts: readonly string[], id: Uint8Array): Uint8Array[] {
  const names = hosts.map((host) =>
    isIP(host) === 0 ? der(0x82, Buffer.from(host)) : der(0x87, addressBytes(host)),
  );
  return [
    extension(EXTENSION.constraints, 'critical', sequence()),
    // The first bit of all: digital signatures.
    extension(EXTENSION.keyUsage, 'critical', bits(Uint8Array.of(0x80), 7)),
    extension(EXTENSION.extendedUsage, 'plain', sequence(objectId(SERVER_AUTH))),
    extension(EXTENSION.altName, 'plain', sequence(...names)),
    extension(EXTENSION.subjectKeyId, 'plain', octets(id)),
    extension(EXTENSION.authorityKeyId, 'plain', sequence(der(0x80, id))),
  ];
}

function extension(id: string, kind: 'critical' | 'plain', value: Uint8Array): Uint8Array {
  const flag = kind === 'critical' ? TRUE : new Uint8Array();
  return sequence(objectId(id), flag, octets(value));
}

function keyId(spki: Uint8Array): Uint8Array {
  return createHash('sha256').update(spki).digest().subarray(0, 20);
}

function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::', 2).map((half) => half);
  const words = (half: string | undefined): number[] =>
    half === undefined || half === '' ? [] : half.split(':').flatMap(wordsOf);
  const [before, after] = [words(head), words(tail)];
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return Uint8Array.from(
    [...before, ...zeros, ...after].flatMap((word) => [word >> 8, word & 0xff]),
  );
}

/** One word, or the two of an IPv4 address at the end. */
function wordsOf(part: string): number[] {
  if (!part.includes('.')) return [Number.parseInt(part, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
  return [(a << 8) | b, (c << 8) | d];
}
