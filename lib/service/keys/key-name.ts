import { KeyError } from './key-error.js';

/** The key of streams that name none (guide: CreateStream, KmsKeyId). @internal */
export const DEFAULT_KEY = 'aws/kinesisvideo';

/** Which key a stream's KmsKeyId means. @internal */
export interface KeyName {
  readonly kind: 'id' | 'alias';
  /** Without `alias/`. */
  readonly name: string;
  /** Whose key; that of the stream's own account where an id or alias stands alone. */
  readonly account: string;
}

/** The guide writes the default key in both ways, and KMS knows it as an alias. */
const DEFAULTS = /^(alias\/)?aws\/kinesis-?video$/;
const ARN = /^arn:[a-z\d-]+:kms:([a-z\d-]+):(\d{12}):(.+)$/;

/** A key id as KMS gives them. @internal */
export const KEY_ID: RegExp = /^[\dA-Za-z-]{1,128}$/;
/** An alias as KMS takes them. @internal */
export const ALIAS: RegExp = /^alias\/[\w/-]{1,250}$/;

/** Reads a stream's KmsKeyId. Throws `KeyError` 4502 where it is none of the forms that KMS has. @internal */
export function parseKeyName(
  kmsKeyId: string | undefined,
  account: string,
  region: string,
): KeyName {
  if (kmsKeyId === undefined) return { kind: 'id', name: DEFAULT_KEY, account };
  const arn = ARN.exec(kmsKeyId);
  if (arn === null) return parseShort(kmsKeyId, kmsKeyId, account);
  const [, at, owner = '', resource = ''] = arn;
  if (at !== region) {
    throw new KeyError(4502, `'${kmsKeyId}' is of another region than ${region}`);
  }
  if (resource.startsWith('alias/')) return parseShort(kmsKeyId, resource, owner);
  if (resource.startsWith('key/')) return parseShort(kmsKeyId, resource.slice(4), owner);
  throw notAKey(kmsKeyId);
}

/**
 * A stream's key as DescribeStream names it: an ARN. What is no key is said as it was given; PutMedia
 * tells that it cannot be used. @internal
 */
export function keyArn(kmsKeyId: string | undefined, account: string, region: string): string {
  const text = kmsKeyId ?? DEFAULT_KEY;
  if (ARN.test(text)) return text;
  const arn = `arn:aws:kms:${region}:${account}:`;
  if (DEFAULTS.test(text)) return `${arn}alias/${DEFAULT_KEY}`;
  if (ALIAS.test(text)) return `${arn}${text}`;
  return KEY_ID.test(text) ? `${arn}key/${text}` : text;
}

function parseShort(whole: string, text: string, account: string): KeyName {
  if (DEFAULTS.test(text)) return { kind: 'id', name: DEFAULT_KEY, account };
  if (ALIAS.test(text)) return { kind: 'alias', name: text.slice('alias/'.length), account };
  if (KEY_ID.test(text)) return { kind: 'id', name: text, account };
  throw notAKey(whole);
}

function notAKey(text: string): KeyError {
  return new KeyError(4502, `'${text}' is no key id, alias/NAME or ARN of a key`);
}
