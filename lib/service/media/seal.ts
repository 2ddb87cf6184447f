import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { NONCE_BYTES, Sealer, openBytes, sealBytes, type SealTerms } from '../aead.js';
import { KIND, numberKey } from '../store/codec.js';

/* Encryption of what is stored, above any store. SPEC.md, "Sealed fragments", is the same in words. */

/** Length of a data key. @internal */
export const DATA_KEY_BYTES = 32;

/** Parts of a fragment besides its pieces, which are parts 0, 1, … @internal */
export const PART = {
  table: 0xffff_fffc,
  entry: 0xffff_fffd,
  header: 0xffff_fffe,
  tags: 0xffff_ffff,
} as const;

const PURPOSE = 'kinesis-video fragment';
const HEADER_PURPOSE = 'kinesis-video header';
/** Bytes that name a header or a configuration. @internal */
export const NAME_BYTES = 16;

/** Names bytes by what they are: a hash, under the key where there is one. @internal */
export function nameOf(
  key: DataKey | undefined,
  purpose: 'header name' | 'configuration',
  bytes: Uint8Array,
): Uint8Array {
  if (key !== undefined) return key.nameOf(purpose, bytes);
  const hash = createHash('sha256').update(`kinesis-video ${purpose}`).update(bytes);
  return hash.digest().subarray(0, NAME_BYTES);
}
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

  /**
   * The key of the MKV headers with this name, which is made of what they are: so that it seals
   * one header only, and that always alike.
   */
  header(stream: number, name: Uint8Array): FragmentKey {
    const about = Buffer.alloc(4 + name.length);
    about.writeUInt32BE(stream);
    about.set(name, 4);
    const key = createHmac('sha256', this.#key).update(HEADER_PURPOSE).update(about).digest();
    return new FragmentKey(key, about);
  }

  /** 16 bytes that nobody without the key can compare with guesses. */
  nameOf(purpose: 'header name' | 'configuration', bytes: Uint8Array): Uint8Array {
    const hash = createHmac('sha256', this.#key).update(`kinesis-video ${purpose}`).update(bytes);
    return hash.digest().subarray(0, NAME_BYTES);
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
  sealer(part: number): Sealer {
    return new Sealer(this.#terms(part, NONE));
  }

  /** The sealed form of a part. `also` is authenticated with it. */
  seal(part: number, bytes: Readonly<Uint8Array>, also: Readonly<Uint8Array> = NONE): Uint8Array {
    return sealBytes(this.#terms(part, also), bytes);
  }

  /** What was sealed; undefined where these bytes are not what was sealed as this part. */
  open(
    part: number,
    sealed: Uint8Array,
    also: Readonly<Uint8Array> = NONE,
  ): Uint8Array | undefined {
    return openBytes(this.#terms(part, also), sealed);
  }

  #terms(part: number, also: Readonly<Uint8Array>): SealTerms {
    const about = Buffer.alloc(this.#name.length + 4 + also.length);
    about.set(this.#name);
    about.writeUInt32BE(part, this.#name.length);
    about.set(also, this.#name.length + 4);
    return { key: this.#key, nonce: nonceOf(part), about };
  }
}

function nonceOf(part: number): Uint8Array {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUInt32BE(part, NONCE_BYTES - 4);
  return nonce;
}
