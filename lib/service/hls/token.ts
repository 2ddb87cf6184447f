import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { KvsError } from '../../base/errors.js';
import { NONCE_BYTES, openBytes, sealBytes } from '../aead.js';
import { readPrivate, writePrivate } from '../private-file.js';
import { isObject } from '../api/fields.js';
import type { HlsRequest } from './request.js';

/** What a session token says, to this service alone. Times are ms since 1970. @internal */
export interface HlsClaims {
  /** Id of the stream. */
  readonly stream: number;
  /** Id of the session. */
  readonly session: string;
  readonly expiresAt: number;
  readonly request: HlsRequest;
}

const FILE = 'hls-token.key';
const KEY_BYTES = 32;
/** First byte of a token, so that another form can come some day. */
const FORM = 1;
const MAX_TOKEN = 4096;

/** Makes and opens session tokens. They are encrypted and authenticated: nobody can read or make one. @internal */
export class HlsTokens {
  readonly #key: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** With the key of a data directory, which is made where there is none: tokens outlast a restart. */
  static async open(dataDir: string): Promise<HlsTokens> {
    const path = join(dataDir, FILE);
    const file = await readPrivate(path);
    const key = file?.bytes ?? randomBytes(KEY_BYTES);
    if (key.length !== KEY_BYTES) {
      const message = `${path} is not ${String(KEY_BYTES)} bytes; remove it to make a new one, which ends all HLS sessions`;
      throw new KvsError({ status: 'STATUS_INVALID_ARG', message });
    }
    if (file === undefined) await writePrivate(path, key);
    return new HlsTokens(key);
  }

  seal(claims: HlsClaims): string {
    const nonce = randomBytes(NONCE_BYTES);
    const about = Buffer.concat([Buffer.of(FORM), nonce]);
    const sealed = sealBytes({ key: this.#key, nonce, about }, Buffer.from(JSON.stringify(claims)));
    return Buffer.concat([about, sealed]).toString('base64url');
  }

  /** Undefined for what this service did not make. */
  open(token: string): HlsClaims | undefined {
    if (token.length > MAX_TOKEN || !/^[\w-]+$/.test(token)) return undefined;
    const bytes = Buffer.from(token, 'base64url');
    const about = bytes.subarray(0, 1 + NONCE_BYTES);
    if (about[0] !== FORM || about.length <= NONCE_BYTES) return undefined;
    const terms = { key: this.#key, nonce: about.subarray(1), about };
    const opened = openBytes(terms, bytes.subarray(about.length));
    if (opened === undefined) return undefined;
    const claims: unknown = JSON.parse(Buffer.from(opened).toString());
    return isClaims(claims) ? claims : undefined;
  }
}

/** What is sealed was made here, so that a look at its form is enough. */
function isClaims(value: unknown): value is HlsClaims {
  return (
    isObject(value) &&
    typeof value['stream'] === 'number' &&
    typeof value['session'] === 'string' &&
    typeof value['expiresAt'] === 'number' &&
    isObject(value['request'])
  );
}
