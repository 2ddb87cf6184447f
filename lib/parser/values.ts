import { KvsError } from '../base/errors.js';

/** Milliseconds from 1970 to 2001, where Matroska dates begin. */
const MATROSKA_EPOCH_MS = 978_307_200_000;

/** An unsigned integer of 0 to 8 bytes; throws `STATUS_MKV_NUMBER_TOO_BIG` above 2^53 - 1. */
export function readUint(data: Uint8Array): number {
  checkWidth(data);
  let value = 0;
  for (const byte of data) value = value * 256 + byte;
  if (value > Number.MAX_SAFE_INTEGER) {
    throw new KvsError({
      status: 'STATUS_MKV_NUMBER_TOO_BIG',
      message: `readUint: ${readUint64(data)} is above 2^53 - 1; use readUint64`,
    });
  }
  return value;
}

/** An unsigned integer of 0 to 8 bytes, all 64 bits of it (track UIDs). */
export function readUint64(data: Uint8Array): bigint {
  checkWidth(data);
  let value = 0n;
  for (const byte of data) value = value * 256n + BigInt(byte);
  return value;
}

/** A signed integer of 0 to 8 bytes; throws `STATUS_MKV_NUMBER_TOO_BIG` beyond ±(2^53 - 1). */
export function readInt(data: Uint8Array): number {
  const value = Number(BigInt.asIntN(data.length * 8, readUint64(data)));
  if (!Number.isSafeInteger(value)) {
    throw new KvsError({
      status: 'STATUS_MKV_NUMBER_TOO_BIG',
      message: `readInt: ${value} is beyond 2^53 - 1`,
    });
  }
  return value;
}

/** A floating point number of 0, 4 or 8 bytes. */
export function readFloat(data: Uint8Array): number {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  switch (data.length) {
    case 0:
      return 0;
    case 4:
      return view.getFloat32(0);
    case 8:
      return view.getFloat64(0);
    default:
      throw new KvsError({
        status: 'STATUS_FORMAT_ERROR',
        message: `readFloat: ${data.length} bytes; a Matroska float has 0, 4 or 8`,
      });
  }
}

/** Text up to its first NUL; bytes that are not UTF-8 read as U+FFFD. */
export function readString(data: Uint8Array): string {
  const nul = data.indexOf(0);
  return new TextDecoder().decode(nul < 0 ? data : data.subarray(0, nul));
}

/** A date (nanoseconds since 2001), to the millisecond. */
export function readDate(data: Uint8Array): Date {
  const nanoseconds = BigInt.asIntN(data.length * 8, readUint64(data));
  return new Date(MATROSKA_EPOCH_MS + Number(nanoseconds / 1_000_000n));
}

function checkWidth(data: Uint8Array): void {
  if (data.length <= 8) return;
  throw new KvsError({
    status: 'STATUS_FORMAT_ERROR',
    message: `a number of ${data.length} bytes; Matroska numbers have at most 8`,
  });
}
