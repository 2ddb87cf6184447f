import { readFileSync, readdirSync } from 'node:fs';
import {
  StreamingMkvReader,
  readDate,
  readFloat,
  readInt,
  readString,
  readUint64,
  type MkvDataElement,
  type MkvEvent,
  type MkvReaderOptions,
} from '../../../lib/parser/index.js';

const GOLDEN = new URL('../../golden/mkv/', import.meta.url);

/** Names of all golden Matroska files. */
export function goldenNames(): string[] {
  return readdirSync(GOLDEN).filter((name) => /\.(mkv|webm)$/.test(name));
}

/** Bytes of a golden file, in memory of their own. */
export function golden(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, GOLDEN)));
}

/** Path of a golden's dump. */
export function dumpPath(name: string): string {
  return new URL(name.replace(/\.\w+$/, '.txt'), GOLDEN).pathname;
}

/** Cuts bytes at the given positions. */
export function cut(bytes: Uint8Array, ...at: number[]): Uint8Array[] {
  const ends = [...at, bytes.length];
  return ends.map((end, i) => bytes.slice(i === 0 ? 0 : ends[i - 1], end));
}

/** Bytes one by one. */
export function singles(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

/** One line for an event; data is told by its length and a sum. */
export function line(event: MkvEvent): string {
  const head = `${event.offset} ${event.kind} ${event.element.name}`;
  switch (event.kind) {
    case 'masterStart':
      return `${'  '.repeat(event.depth)}${head} ${event.headerLength}+${event.size ?? '?'}`;
    case 'masterEnd':
      return `${'  '.repeat(event.depth)}${head}`;
    case 'data':
      return `${head} ${event.bytes.length} ${event.last}`;
    case 'element':
      return `${'  '.repeat(event.depth)}${head} ${event.headerLength}+${event.size} ${value(event)}`;
    case 'streamStart':
    case 'skipped':
      return `${'  '.repeat(event.depth)}${head} ${event.headerLength}+${event.size}`;
  }
}

function value({ element, data }: MkvDataElement): string {
  switch (element.type) {
    case 'uint':
      return String(readUint64(data));
    case 'int':
      return String(readInt(data));
    case 'float':
      return String(readFloat(data));
    case 'date':
      return readDate(data).toISOString();
    case 'string':
    case 'utf8':
      return JSON.stringify(readString(data));
    default:
      return `${Buffer.from(data.subarray(0, 16)).toString('hex')} ${hash(data)}`;
  }
}

function hash(data: Uint8Array): string {
  let sum = 0x811c9dc5;
  for (const byte of data) sum = Math.imul(sum ^ byte, 0x01000193) >>> 0;
  return sum.toString(16);
}

/**
 * Events of chunks as lines. Each chunk is scribbled over as soon as the reader says it is done
 * with it, so that a view kept too long shows.
 */
export function dump(chunks: readonly Uint8Array[], options: MkvReaderOptions = {}): string[] {
  const reader = new StreamingMkvReader(options);
  const lines: string[] = [];
  const drain = (): void => {
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      lines.push(line(event));
    }
  };
  for (const chunk of chunks) {
    const own = chunk.slice();
    reader.push(own);
    drain();
    own.fill(0xaa);
  }
  reader.end();
  drain();
  return lines;
}

/** A master or data element with the shortest header. */
export function element(id: number, ...parts: (Uint8Array | string | number[])[]): Uint8Array {
  const body = join(...parts);
  return join(header(id, body.length), body);
}

/** A header with a size of 8 bytes, or an unknown one of `width` bytes. */
export function header(id: number, size: number | undefined, width: number = 8): Uint8Array {
  const ids = id
    .toString(16)
    .padStart(2 * Math.ceil(id.toString(16).length / 2), '0')
    .match(/../g);
  const out = (ids ?? []).map((byte) => Number.parseInt(byte, 16));
  if (size === undefined) return Uint8Array.of(...out, (0x200 >> width) - 1, ...ones(width - 1));
  const digits = size.toString(16).padStart(14, '0').match(/../g) ?? [];
  return Uint8Array.of(...out, 1, ...digits.map((byte) => Number.parseInt(byte, 16)));
}

function ones(count: number): number[] {
  return Array.from({ length: count }, () => 0xff);
}

/** Puts parts together. */
export function join(...parts: (Uint8Array | string | number[])[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))));
}
