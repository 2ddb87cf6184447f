import { writeHeader } from './ebml.js';

/** An element of these parts, with the shortest header. */
export function writeElement(id: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const header = writeHeader(id, size);
  const bytes = new Uint8Array(header.length + size);
  bytes.set(header);
  let at = header.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** An unsigned integer element, 8 bytes wide so that its length does not depend on its value. */
export function writeUint(id: number, value: number | bigint): Uint8Array {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setBigUint64(0, BigInt(value));
  return writeElement(id, data);
}

/** A floating point element of 8 bytes. */
export function writeFloat(id: number, value: number): Uint8Array {
  const data = new Uint8Array(8);
  new DataView(data.buffer).setFloat64(0, value);
  return writeElement(id, data);
}
