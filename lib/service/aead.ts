import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { CipherGCM, KeyObject } from 'node:crypto';

/* AES-256-GCM as this service uses it everywhere: a seal of 16 bytes stands behind what is sealed. */

/** By how much sealing makes anything longer. Part of the format on disk. @internal */
export const SEAL_BYTES = 16;
/** @internal */
export const NONCE_BYTES = 12;

const ALGORITHM = 'aes-256-gcm';
const LENGTHS = { authTagLength: SEAL_BYTES } as const;

/** How something is sealed. A nonce may be used once under a key. @internal */
export interface SealTerms {
  readonly key: Uint8Array | KeyObject;
  /** `NONCE_BYTES` of them. */
  readonly nonce: Uint8Array;
  /** What is authenticated besides the bytes themselves. */
  readonly about: Uint8Array;
}

/** Seals one thing while its bytes come. @internal */
export class Sealer {
  readonly #cipher: CipherGCM;

  constructor({ key, nonce, about }: SealTerms) {
    this.#cipher = createCipheriv(ALGORITHM, key, nonce, LENGTHS);
    this.#cipher.setAAD(about);
  }

  /** The sealed form of the next bytes, as many as there were. */
  update(bytes: Readonly<Uint8Array>): Uint8Array {
    return this.#cipher.update(bytes);
  }

  /** The seal that stands behind. */
  end(): Uint8Array {
    this.#cipher.final();
    return this.#cipher.getAuthTag();
  }
}

/** The sealed form of bytes, the seal included. @internal */
export function sealBytes(terms: SealTerms, bytes: Readonly<Uint8Array>): Uint8Array {
  const sealer = new Sealer(terms);
  return Buffer.concat([sealer.update(bytes), sealer.end()]);
}

/** What was sealed; undefined where these bytes were not sealed on these terms. @internal */
export function openBytes(
  { key, nonce, about }: SealTerms,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const length = sealed.length - SEAL_BYTES;
  if (length < 0) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, nonce, LENGTHS);
  decipher.setAAD(about);
  decipher.setAuthTag(sealed.subarray(length));
  const bytes = decipher.update(sealed.subarray(0, length));
  try {
    // Compares in constant time.
    decipher.final();
  } catch {
    return undefined;
  }
  return bytes;
}
