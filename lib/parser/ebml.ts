import { inputError } from './errors.js';

/** Most bytes that an element header takes: 4 of id and 8 of size. */
export const MAX_HEADER_BYTES = 12;

/** An element's id and size as read; one object is filled again and again. @internal */
export interface Header {
  id: number;
  /** Bytes of data; 0 when `unknownSize`. */
  size: number;
  unknownSize: boolean;
  /** Bytes of the header itself. */
  length: number;
}

/** Width in bytes of the number that begins with `first`, 1 to 8; 9 when none begins so. */
export function vintWidth(first: number): number {
  return Math.clz32(first) - 23;
}

/**
 * Reads the header at `bytes[start]`, of which bytes up to `end` are there, into `into`.
 * False when more bytes are needed; `offset` is where it stands in the input, for errors.
 * Throws `KvsError` when no element can begin so.
 * @internal
 */
export function readHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
  offset: number,
  into: Header,
): boolean {
  if (start >= end) return false;
  const first = bytes[start] ?? 0;
  const idWidth = Math.clz32(first) - 23;
  if (idWidth > 4) throw badId(first, offset);
  const sizeAt = start + idWidth;
  if (sizeAt >= end) return false;
  let id = first;
  for (let i = start + 1; i < sizeAt; i += 1) id = id * 256 + (bytes[i] ?? 0);
  const sizeFirst = bytes[sizeAt] ?? 0;
  const sizeWidth = Math.clz32(sizeFirst) - 23;
  if (sizeWidth > 8) {
    throw inputError('STATUS_FORMAT_ERROR', offset, `size of ${hexId(id)} begins with a zero byte`);
  }
  const dataAt = sizeAt + sizeWidth;
  if (dataAt > end) return false;
  into.id = id;
  into.length = dataAt - start;
  readSizeInto(bytes, sizeAt, sizeWidth, offset, into);
  return true;
}

function readSizeInto(
  bytes: Uint8Array,
  at: number,
  width: number,
  offset: number,
  into: Header,
): void {
  const mask = 0xff >> width;
  let size = (bytes[at] ?? 0) & mask;
  let ones = size === mask;
  for (let i = 1; i < width; i += 1) {
    const byte = bytes[at + i] ?? 0;
    size = size * 256 + byte;
    ones &&= byte === 0xff;
  }
  into.unknownSize = ones;
  into.size = ones ? 0 : size;
  if (!ones && size > Number.MAX_SAFE_INTEGER) {
    throw inputError(
      'STATUS_MKV_NUMBER_TOO_BIG',
      offset,
      `size of ${hexId(into.id)} is above 2^53 - 1 bytes`,
    );
  }
}

/**
 * The bytes of a header. With `headerLength` as an event gave it, exactly those that were read;
 * without, the shortest ones. An undefined `size` is written as unknown.
 */
export function writeHeader(
  id: number,
  size: number | undefined,
  headerLength: number = idWidth(id) + shortestSize(size),
): Uint8Array {
  const bytes = new Uint8Array(headerLength);
  const width = idWidth(id);
  let rest = id;
  for (let i = width - 1; i >= 0; i -= 1) {
    bytes[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  const sizeWidth = headerLength - width;
  if (size === undefined) {
    bytes.fill(0xff, width + 1);
    bytes[width] = (0x200 >> sizeWidth) - 1;
    return bytes;
  }
  let value = size;
  for (let i = headerLength - 1; i >= width; i -= 1) {
    bytes[i] = value % 256;
    value = Math.floor(value / 256);
  }
  bytes[width] = (bytes[width] ?? 0) | (0x100 >> sizeWidth);
  return bytes;
}

function idWidth(id: number): number {
  return Math.max(1, Math.ceil((32 - Math.clz32(id)) / 8));
}

/** Fewest bytes that hold `size`; all ones mean unknown, so that 127 takes two. */
function shortestSize(size: number | undefined): number {
  if (size === undefined) return 1;
  let width = 1;
  while (size >= 2 ** (7 * width) - 1) width += 1;
  return width;
}

/** An id as people write it. */
export function hexId(id: number): string {
  return `0x${id.toString(16)}`;
}

function badId(first: number, offset: number): Error {
  const byte = first.toString(16).padStart(2, '0');
  return inputError(
    'STATUS_FORMAT_ERROR',
    offset,
    `no element begins with byte 0x${byte}: ids have 1 to 4 bytes; the input is damaged or not Matroska`,
  );
}
