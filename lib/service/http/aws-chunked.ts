import { createHash, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { AckError } from '../errors.js';
import { EMPTY_HASH, hmac, sha256 } from './sigv4.js';

/* The body forms of Signature Version 4 in which data come in chunks within the HTTP body:
   `SIZE[;chunk-signature=HEX]\r\n DATA \r\n … 0[;chunk-signature=HEX]\r\n [trailer\r\n …] \r\n`. */

/** Why a body cannot be believed; nothing of the chunk in question was given on. @internal */
export class BodyFault extends AckError {
  override readonly name: string = 'BodyFault';

  constructor(message: string) {
    super(4000, message);
  }
}

/** Makes the data of a body that comes in any pieces. What it throws ends the body. @internal */
export interface BodyDecoder {
  /** The data that are known to be good with these bytes; may be none. */
  push(bytes: Uint8Array): Uint8Array;
  /** The body has ended. Throws `BodyFault` where something of it is missing or wrong. */
  end(): void;
}

/** What the signatures of chunks go on from. @internal */
export interface ChunkSeed {
  readonly key: Uint8Array;
  /** `date/region/service/aws4_request`. */
  readonly scope: string;
  readonly time: string;
  /** Signature of the request, hexadecimal. */
  readonly signature: string;
}

/** How chunks are checked. @internal */
export interface ChunkRules {
  /** Every chunk says a signature; checked where the seed is given. */
  readonly signed: boolean;
  readonly seed: ChunkSeed | undefined;
  /** Name of the trailer with the checksum, if one was announced. */
  readonly trailer: string | undefined;
  /** Bytes of data that were announced. */
  readonly length: number | undefined;
}

/** A signed chunk is held until its signature has been compared; this is the largest, bytes. */
const MAX_CHUNK = 4 * 1024 * 1024;
const MAX_LINE = 1024;

type State = 'size' | 'data' | 'dataEnd' | 'trailer' | 'done';

/** Reads aws-chunked bodies, signed or not. Holds one signed chunk at most. @internal */
export class AwsChunkedDecoder implements BodyDecoder {
  readonly #rules: ChunkRules;
  #state: State = 'size';
  #line = '';
  #left = 0;
  #signature = '';
  /** The signature that the next one goes on from. */
  #previous: string;
  /** The signed chunk that is coming in, of which so many bytes have come. */
  #held: Buffer = Buffer.alloc(0);
  #filled = 0;
  #ready: Uint8Array[] = [];
  #total = 0;
  readonly #checksum: Checksum | undefined;
  #checked = false;

  constructor(rules: ChunkRules) {
    this.#rules = rules;
    this.#previous = rules.seed?.signature ?? '';
    this.#checksum = rules.trailer === undefined ? undefined : checksumOf(rules.trailer);
  }

  push(bytes: Uint8Array): Uint8Array {
    for (let at = 0; at < bytes.length;) {
      at = this.#state === 'data' ? this.#takeData(bytes, at) : this.#takeLine(bytes, at);
    }
    const [first = new Uint8Array(), ...more] = this.#ready;
    const data = more.length === 0 ? first : Buffer.concat(this.#ready);
    this.#ready = [];
    return data;
  }

  end(): void {
    if (this.#state !== 'done') throw new BodyFault('the body ended before its last chunk');
  }

  #takeData(bytes: Uint8Array, at: number): number {
    const part = bytes.subarray(at, at + this.#left);
    this.#left -= part.length;
    if (this.#rules.signed) {
      // Copied: a client that sends single bytes would have an object held for each of them.
      this.#held.set(part, this.#filled);
      this.#filled += part.length;
    } else this.#give(part);
    if (this.#left === 0) this.#state = 'dataEnd';
    return at + part.length;
  }

  #takeLine(bytes: Uint8Array, at: number): number {
    if (this.#state === 'done') throw new BodyFault('bytes behind the last chunk');
    const end = bytes.indexOf(0x0a, at);
    const part = bytes.subarray(at, end < 0 ? bytes.length : end + 1);
    this.#line += Buffer.from(part).toString('latin1');
    if (this.#line.length > MAX_LINE) throw new BodyFault('a line between chunks is too long');
    if (end < 0) return bytes.length;
    if (!this.#line.endsWith('\r\n')) throw new BodyFault('a line ends without CR LF');
    const line = this.#line.slice(0, -2);
    this.#line = '';
    this.#takeWholeLine(line);
    return end + 1;
  }

  #takeWholeLine(line: string): void {
    switch (this.#state) {
      case 'size':
        this.#beginChunk(line);
        return;
      case 'dataEnd':
        if (line !== '') throw new BodyFault('a chunk is longer than it says');
        this.#endChunk();
        this.#state = 'size';
        return;
      default:
        this.#takeTrailer(line);
    }
  }

  #beginChunk(line: string): void {
    const form = this.#rules.signed
      ? /^([0-9a-fA-F]{1,8});chunk-signature=([0-9a-f]{64})$/
      : /^([0-9a-fA-F]{1,8})$/;
    const [, size = '', signature = ''] = form.exec(line) ?? [];
    if (size === '') throw new BodyFault('a chunk begins with neither size nor signature');
    this.#left = Number.parseInt(size, 16);
    this.#signature = signature;
    if (this.#rules.signed && this.#left > MAX_CHUNK) {
      throw new BodyFault(
        `a chunk has ${String(this.#left)} bytes; ${String(MAX_CHUNK)} are the most`,
      );
    }
    if (this.#left > 0) {
      if (this.#rules.signed) this.#held = Buffer.allocUnsafeSlow(this.#left);
      this.#filled = 0;
      this.#state = 'data';
      return;
    }
    this.#endChunk();
    this.#checkLength();
    this.#state = 'trailer';
  }

  /** Compares the signature of what is held, and lets it go. */
  #endChunk(): void {
    const { signed, seed } = this.#rules;
    if (!signed) return;
    const data = this.#held;
    this.#held = Buffer.alloc(0);
    if (seed !== undefined) {
      const text = `AWS4-HMAC-SHA256-PAYLOAD\n${seed.time}\n${seed.scope}\n${this.#previous}\n${EMPTY_HASH}\n${sha256(data)}`;
      const expected = hmac(seed.key, text);
      if (!timingSafeEqual(expected, Buffer.from(this.#signature, 'hex'))) {
        throw new BodyFault('the signature of a chunk does not match its data');
      }
      this.#previous = this.#signature;
    }
    if (data.length > 0) this.#give(data);
  }

  #give(data: Uint8Array): void {
    this.#total += data.length;
    const { length } = this.#rules;
    if (length !== undefined && this.#total > length) this.#checkLength();
    this.#checksum?.add(data);
    this.#ready.push(data);
  }

  #checkLength(): void {
    const { length } = this.#rules;
    if (length === undefined || this.#total === length) return;
    throw new BodyFault(
      `${String(this.#total)} bytes of data; x-amz-decoded-content-length says ${String(length)}`,
    );
  }

  #takeTrailer(line: string): void {
    if (line === '') {
      if (this.#checksum !== undefined && !this.#checked) {
        throw new BodyFault(`the trailer ${this.#rules.trailer ?? ''} is missing`);
      }
      this.#state = 'done';
      return;
    }
    const at = line.indexOf(':');
    const name = line.slice(0, at).trim().toLowerCase();
    if (at < 0 || name !== this.#rules.trailer || this.#checked) {
      throw new BodyFault('a trailer that was not announced');
    }
    if (line.slice(at + 1).trim() !== this.#checksum?.base64()) {
      throw new BodyFault(`${name} is not that of the data`);
    }
    this.#checked = true;
  }
}

interface Checksum {
  add(data: Uint8Array): void;
  base64(): string;
}

function checksumOf(trailer: string): Checksum {
  const kind = /^x-amz-checksum-(crc32|sha1|sha256)$/.exec(trailer)?.[1];
  if (kind === undefined) {
    throw new BodyFault(
      `x-amz-trailer is '${trailer}'; x-amz-checksum-crc32, -sha1 and -sha256 are understood`,
    );
  }
  if (kind !== 'crc32') {
    const hash = createHash(kind);
    return { add: (data) => void hash.update(data), base64: () => hash.digest('base64') };
  }
  let sum = 0;
  return {
    add: (data) => {
      sum = crc32(data, sum);
    },
    base64: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(sum);
      return bytes.toString('base64');
    },
  };
}

/** Passes data on and compares their hash at the end, where the client has signed it. @internal */
export class HashedDecoder implements BodyDecoder {
  readonly #hash = createHash('sha256');
  readonly #expected: string;

  constructor(expected: string) {
    this.#expected = expected.toLowerCase();
  }

  push(bytes: Uint8Array): Uint8Array {
    this.#hash.update(bytes);
    return bytes;
  }

  end(): void {
    if (this.#hash.digest('hex') === this.#expected) return;
    throw new BodyFault('the body is not the one whose hash was signed');
  }
}
