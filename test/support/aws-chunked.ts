import { createHash, createHmac } from 'node:crypto';
import { crc32 } from 'node:zlib';

/* Writes the chunked body forms of Signature Version 4, as AWS's clients do. */

export interface SigningScope {
  readonly secret: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly time: string;
  readonly region: string;
  readonly service: string;
}

export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function keyOf({ secret, time, region, service }: SigningScope): Buffer {
  return [time.slice(0, 8), region, service, 'aws4_request'].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${secret}`),
  );
}

export function scopeOf({ time, region, service }: SigningScope): string {
  return `${time.slice(0, 8)}/${region}/${service}/aws4_request`;
}

/** Signs a POST; gives its Authorization header and the signature. */
export function signPost(
  path: string,
  headers: Readonly<Record<string, string>>,
  payload: string,
  scope: SigningScope & { readonly accessKeyId: string },
): { readonly authorization: string; readonly signature: string } {
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name] ?? ''}\n`).join('');
  const canonical = `POST\n${path}\n\n${lines}\n${names.join(';')}\n${payload}`;
  const text = `AWS4-HMAC-SHA256\n${scope.time}\n${scopeOf(scope)}\n${sha256Hex(canonical)}`;
  const signature = createHmac('sha256', keyOf(scope)).update(text).digest('hex');
  const credential = `${scope.accessKeyId}/${scopeOf(scope)}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { authorization, signature };
}

/** STREAMING-AWS4-HMAC-SHA256-PAYLOAD: one part a chunk, and the last one. */
export function signedChunks(
  parts: readonly Uint8Array[],
  seed: string,
  scope: SigningScope,
): Uint8Array[] {
  let previous = seed;
  return [...parts, new Uint8Array()].map((data) => {
    const text = `AWS4-HMAC-SHA256-PAYLOAD\n${scope.time}\n${scopeOf(scope)}\n${previous}\n${sha256Hex('')}\n${sha256Hex(data)}`;
    previous = createHmac('sha256', keyOf(scope)).update(text).digest('hex');
    const head = `${data.length.toString(16)};chunk-signature=${previous}\r\n`;
    return Buffer.concat([Buffer.from(head), data, Buffer.from('\r\n')]);
  });
}

/** STREAMING-UNSIGNED-PAYLOAD-TRAILER with a CRC-32 behind. */
export function unsignedChunks(parts: readonly Uint8Array[]): Uint8Array {
  const chunks = parts.map((data) =>
    Buffer.concat([Buffer.from(`${data.length.toString(16)}\r\n`), data, Buffer.from('\r\n')]),
  );
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(Buffer.concat(parts)));
  const trailer = `0\r\nx-amz-checksum-crc32:${sum.toString('base64')}\r\n\r\n`;
  return Buffer.concat([...chunks, Buffer.from(trailer)]);
}
