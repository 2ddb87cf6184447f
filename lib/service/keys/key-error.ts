/** What GetMedia says of a key that cannot be used, by the id that PutMedia says it with. @internal */
export const KEY_ERRORS = {
  4500: "Access denied for the stream's KMS key",
  4501: "Stream's KMS key is disabled",
  4502: "Validation error on the Stream's KMS key",
  4503: 'KMS key specified in the stream is unavailable',
  4504: 'Invalid usage of the KMS key specified in the stream',
  4505: 'Invalid state of the KMS key specified in the stream',
  4506: 'Unable to find the KMS key specified in the stream',
} as const;

/** Why a key cannot be used (guide: PutMedia and GetMedia, error codes). @internal */
export type KeyErrorId = keyof typeof KEY_ERRORS;

/** Thrown where a stream's key may or can not be used; the message is for the operator. @internal */
export class KeyError extends Error {
  override readonly name: string = 'KeyError';
  readonly id: KeyErrorId;

  constructor(id: KeyErrorId, why: string, options?: ErrorOptions) {
    super(`${KEY_ERRORS[id]}: ${why}`, options);
    this.id = id;
  }
}
