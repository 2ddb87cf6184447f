import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
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

const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 12;
const SEAL_BYTES = 16;

/** Wraps a stream's data key with the current version of a master key. @internal */
export function wrapKey(master: MasterKey, stream: number, dataKey: Uint8Array): WrappedKey {
  const version = master.current;
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, materialOf(master, version), nonce, {
    authTagLength: SEAL_BYTES,
  });
  cipher.setAAD(aboutOf(stream, master.id, version));
  const sealed = [nonce, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()];
  return { key: master.id, version, sealed: Buffer.concat(sealed).toString('base64') };
}

/** The data key. Throws `KeyError` 4503 where its version is gone, 4502 where it does not fit. @internal */
export function unwrapKey(master: MasterKey, stream: number, wrapped: WrappedKey): Uint8Array {
  const { version } = wrapped;
  const sealed = Buffer.from(wrapped.sealed, 'base64');
  const material = materialOf(master, version);
  const decipher = createDecipheriv(ALGORITHM, material, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: SEAL_BYTES,
  });
  decipher.setAAD(aboutOf(stream, master.id, version));
  decipher.setAuthTag(sealed.subarray(-SEAL_BYTES));
  const bytes = decipher.update(sealed.subarray(NONCE_BYTES, -SEAL_BYTES));
  try {
    decipher.final();
  } catch (cause) {
    const why = `version ${String(version)} of key ${master.id} is not the one that wrapped the data key`;
    throw new KeyError(4502, why, { cause });
  }
  return bytes;
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

function materialOf(
  master: MasterKey,
  version: number,
): NonNullable<ReturnType<MasterKey['versions']['get']>> {
  const material = master.versions.get(version);
  if (material !== undefined) return material;
  throw new KeyError(4503, `version ${String(version)} of key ${master.id} is not in the key file`);
}

/** A wrapped key serves its own stream only. */
function aboutOf(stream: number, key: string, version: number): Uint8Array {
  return Buffer.from(['kinesis-video data key', stream, key, version].join('\0'));
}
