import { createCipheriv, createDecipheriv, createHmac, createSecretKey } from 'node:crypto';
import type { CipherGCM, KeyObject } from 'node:crypto';
import { KIND, numberKey } from './codec.js';
import { SEAL_BYTES } from './types.js';

/* Encryption of what is stored: AES-256-GCM. SPEC.md, "Sealed fragments", is the same in words. */

/** Length of a data key. @internal */
export const DATA_KEY_BYTES = 32;

/** Parts of a fragment besides its pieces, which are parts 0, 1, … @internal */
export const PART = { entry: 0xffff_fffd, header: 0xffff_fffe, tags: 0xffff_ffff } as const;

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const PURPOSE = 'kinesis-video fragment';
const NONE: Readonly<Uint8Array> = new Uint8Array();

/** The key that everything of one stream is sealed under. @internal */
export class DataKey {
  readonly #key: KeyObject;

  /** `bytes`: 32 random ones; not kept. */
  constructor(bytes: Uint8Array) {
    this.#key = createSecretKey(bytes);
  }

  /**
   * The key of one fragment. A fragment number is never given twice within a stream, so that no
   * two fragments share a key, whatever happens to either.
   */
  fragment(stream: number, number: bigint): FragmentKey {
    const name = numberKey(KIND.fragment, stream, number);
    const key = createHmac('sha256', this.#key).update(PURPOSE).update(name).digest();
    return new FragmentKey(key, name);
  }
}

/**
 * Seals and opens the parts of one fragment. Each part may be sealed once; its number is the nonce.
 * Stream, fragment number and part are authenticated, so that nothing can be put in another's
 * place. @internal
 */
export class FragmentKey {
  readonly #key: Uint8Array;
  readonly #name: Uint8Array;

  constructor(key: Uint8Array, name: Uint8Array) {
    this.#key = key;
    this.#name = name;
  }

  /** Seals a part that comes in any pieces. */
  sealer(part: number, also: Readonly<Uint8Array> = NONE): Sealer {
    const cipher = createCipheriv(ALGORITHM, this.#key, nonceOf(part), {
      authTagLength: SEAL_BYTES,
    });
    cipher.setAAD(this.#about(part, also));
    return new Sealer(cipher);
  }

  /** The sealed form of a part: as many bytes, and the seal. `also` is authenticated with it. */
  seal(part: number, bytes: Uint8Array, also: Readonly<Uint8Array> = NONE): Uint8Array {
    const sealer = this.sealer(part, also);
    return Buffer.concat([sealer.update(bytes), sealer.end()]);
  }

  /** What was sealed; undefined where these bytes are not what was sealed as this part. */
  open(
    part: number,
    sealed: Uint8Array,
    also: Readonly<Uint8Array> = NONE,
  ): Uint8Array | undefined {
    const length = sealed.length - SEAL_BYTES;
    if (length < 0) return undefined;
    const decipher = createDecipheriv(ALGORITHM, this.#key, nonceOf(part), {
      authTagLength: SEAL_BYTES,
    });
    decipher.setAAD(this.#about(part, also));
    decipher.setAuthTag(sealed.subarray(length));
    const bytes = decipher.update(sealed.subarray(0, length));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return bytes;
  }

  #about(part: number, also: Readonly<Uint8Array>): Uint8Array {
    const about = Buffer.alloc(this.#name.length + 4 + also.length);
    about.set(this.#name);
    about.writeUInt32BE(part, this.#name.length);
    about.set(also, this.#name.length + 4);
    return about;
  }
}

/** Seals one part while its bytes come. @internal */
export class Sealer {
  readonly #cipher: CipherGCM;

  constructor(cipher: CipherGCM) {
    this.#cipher = cipher;
  }

  /** The sealed form of the next bytes, as many as there were. */
  update(bytes: Uint8Array): Uint8Array {
    return this.#cipher.update(bytes);
  }

  /** The seal that stands behind the part. */
  end(): Uint8Array {
    this.#cipher.final();
    return this.#cipher.getAuthTag();
  }
}

function nonceOf(part: number): Uint8Array {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32BE(part, NONCE_BYTES - 4);
  return nonce;
}
