import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../errors.js';
import { AwsChunkedDecoder, BodyFault, HashedDecoder } from './aws-chunked.js';
import type { BodyDecoder, ChunkSeed } from './aws-chunked.js';
import { headerOf } from './header-of.js';
import { EMPTY_HASH } from './sigv4.js';

const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

/** What x-amz-content-sha256 may say in the place of a hash. @internal */
export const LITERALS: ReadonlySet<string> = new Set(['UNSIGNED-PAYLOAD', SIGNED, TRAILER]);

const PLAIN: Readonly<BodyDecoder> = { push: (bytes) => bytes, end: () => undefined };

/**
 * How the body of a request is read, by its x-amz-content-sha256. AWS's producers leave that out,
 * or sign the hash of no bytes, for a PutMedia that is longer. Throws what the client did wrong.
 * @internal
 */
export function decoderFor(request: IncomingMessage, seed: ChunkSeed | undefined): BodyDecoder {
  const form = headerOf(request, 'x-amz-content-sha256');
  if (form === undefined || form === 'UNSIGNED-PAYLOAD' || form === EMPTY_HASH) return PLAIN;
  if (form === SIGNED || form === TRAILER) return chunked(request, form === SIGNED, seed);
  if (/^[0-9a-f]{64}$/i.test(form)) return new HashedDecoder(form);
  throw new ServiceError(
    'InvalidSignatureException',
    `x-amz-content-sha256 is neither a SHA-256 nor one of ${[...LITERALS].join(', ')}`,
  );
}

/** The data of a body that was read whole. Throws InvalidSignatureException. @internal */
export function decodeWhole(decoder: BodyDecoder, bytes: Uint8Array): Uint8Array {
  try {
    const data = decoder.push(bytes);
    decoder.end();
    return data;
  } catch (error) {
    if (!(error instanceof BodyFault)) throw error;
    throw new ServiceError('InvalidSignatureException', `The request body: ${error.message}`);
  }
}

function chunked(
  request: IncomingMessage,
  signed: boolean,
  seed: ChunkSeed | undefined,
): BodyDecoder {
  const length = headerOf(request, 'x-amz-decoded-content-length');
  if (length !== undefined && !/^\d{1,15}$/.test(length)) {
    throw new ServiceError(
      'InvalidArgumentException',
      'x-amz-decoded-content-length is not a whole number',
    );
  }
  const trailer = signed ? undefined : headerOf(request, 'x-amz-trailer')?.trim().toLowerCase();
  try {
    return new AwsChunkedDecoder({
      ...{ signed, seed, trailer },
      length: length === undefined ? undefined : Number(length),
    });
  } catch (error) {
    if (!(error instanceof BodyFault)) throw error;
    throw new ServiceError('InvalidArgumentException', error.message);
  }
}
