import { randomBytes } from 'node:crypto';
import { NONCE_BYTES, SEAL_BYTES, openBytes, sealBytes, type SealTerms } from '../aead.js';
import { FragmentDamagedError } from '../store/types.js';
import { KeyError } from './key-error.js';
import type { MasterKey } from './key-file.js';

/** A data key as it is kept: sealed by one version of a master key. @internal */
export interface WrappedKey {
  /** Id of the master key. */
  readonly key: string;
  readonly version: number;
  /** Nonce, sealed key and seal; base64. */
  readonly sealed: string;
}

/** Wraps a stream's data key with the current version of a master key. @internal */
export function wrapKey(master: MasterKey, stream: number, dataKey: Uint8Array): WrappedKey {
  const version = master.current;
  const nonce = randomBytes(NONCE_BYTES);
  const sealed = sealBytes(termsOf(master, version, stream, nonce), dataKey);
  return { key: master.id, version, sealed: Buffer.concat([nonce, sealed]).toString('base64') };
}

/** The data key. Throws `KeyError` 4503 where its version is gone, 4502 where it does not fit. @internal */
export function unwrapKey(master: MasterKey, stream: number, wrapped: WrappedKey): Uint8Array {
  const { version } = wrapped;
  const stored = Buffer.from(wrapped.sealed, 'base64');
  const terms = termsOf(master, version, stream, stored.subarray(0, NONCE_BYTES));
  const bytes = openBytes(terms, stored.subarray(NONCE_BYTES));
  if (bytes !== undefined) return bytes;
  throw new KeyError(
    4502,
    `version ${String(version)} of key ${master.id} is not the one that wrapped the data key`,
  );
}

/** @internal */
export function encodeWrapped(wrapped: WrappedKey): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(wrapped));
}

/** @internal */
export function decodeWrapped(bytes: Uint8Array): WrappedKey {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    value = undefined;
  }
  if (isWrapped(value)) return value;
  throw new FragmentDamagedError('the wrapped data key of a stream is damaged');
}

function isWrapped(value: unknown): value is WrappedKey {
  return (
    typeof value === 'object' &&
    value !== null &&
    'key' in value &&
    typeof value.key === 'string' &&
    'version' in value &&
    typeof value.version === 'number' &&
    'sealed' in value &&
    typeof value.sealed === 'string' &&
    Buffer.from(value.sealed, 'base64').length > NONCE_BYTES + SEAL_BYTES
  );
}

/** A wrapped key serves its own stream only. */
function termsOf(master: MasterKey, version: number, stream: number, nonce: Uint8Array): SealTerms {
  const key = master.versions.get(version);
  if (key === undefined) {
    const which = `version ${String(version)} of key ${master.id}`;
    throw new KeyError(4503, `${which} is not in the key file`);
  }
  const about = Buffer.from(['kinesis-video data key', stream, master.id, version].join('\0'));
  return { key, nonce, about };
}
