import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import {
  BLOCK,
  BLOCK_MAGIC,
  MOST_HEAD_BYTES,
  decodeBlockHead,
  storedSum,
  type BlockHead,
} from './blocks.js';

const CHUNK = 1024 * 1024;
/** Read at once where contents are passed over. */
const HEADS_CHUNK = 4096;

/** A block of a segment file that is whole. @internal */
export interface FoundBlock extends BlockHead {
  readonly offset: number;
  /** Whether what stands behind the head is what was stored. */
  readonly whole: boolean;
}

/** How a segment file is read through. @internal */
export interface ScanOptions {
  readonly path: string;
  readonly stream: number;
  readonly generation: Uint8Array;
  readonly from: number;
  readonly to: number;
  /** `contents`: what stands behind the heads is compared with its checksum, too. */
  readonly verify: 'heads' | 'contents';
}

/** Reads a file forwards in large pieces. */
class Window {
  readonly #file: FileHandle;
  readonly #bytes = Buffer.allocUnsafe(CHUNK);
  #at = 0;
  #length = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Bytes from `position` on, `least` of them where the file has so many. */
  async at(position: number, least: number, most = CHUNK): Promise<Buffer> {
    if (position < this.#at || position + least > this.#at + this.#length) {
      this.#at = position;
      this.#length = 0;
      while (this.#length < Math.min(least, most)) {
        const length = most - this.#length;
        const read = await this.#file.read(
          this.#bytes,
          this.#length,
          length,
          position + this.#length,
        );
        if (read.bytesRead === 0) break;
        this.#length += read.bytesRead;
      }
    }
    const from = position - this.#at;
    return this.#bytes.subarray(from, Math.min(this.#length, from + most));
  }
}

/**
 * Gives the whole blocks of a segment file in order. What is no block, or not whole, is passed over
 * byte by byte until the next one. @internal
 */
export async function* scanSegment(
  options: ScanOptions,
): AsyncGenerator<FoundBlock, void, undefined> {
  const file = await open(options.path, 'r');
  try {
    const window = new Window(file);
    let at: number | undefined = options.from;
    while (at !== undefined && at < options.to) {
      const block = await blockAt(window, at, options);
      if (block === undefined) {
        at = await nextMagic(window, at + 1, options.to);
        continue;
      }
      if (block.kind !== BLOCK.hole) yield block;
      at += block.bytes;
    }
  } finally {
    await file.close();
  }
}

async function blockAt(
  window: Window,
  at: number,
  { generation, stream, to, verify }: ScanOptions,
): Promise<FoundBlock | undefined> {
  const most = verify === 'heads' ? HEADS_CHUNK : CHUNK;
  const bytes = await window.at(at, Math.min(MOST_HEAD_BYTES, to - at), most);
  const block = decodeBlockHead(Uint8Array.from(bytes.subarray(0, MOST_HEAD_BYTES)), generation);
  if (block?.stream !== stream || at + block.bytes > to) return undefined;
  const sum = verify === 'heads' ? undefined : storedSum(block);
  if (sum === undefined) return { ...block, offset: at, whole: true };
  const from = at + block.head.length;
  const whole = (await sumOf(window, from, at + block.bytes)) === sum;
  return { ...block, offset: at, whole };
}

async function sumOf(window: Window, from: number, to: number): Promise<number> {
  let sum = 0;
  for (let at = from; at < to;) {
    const bytes = await window.at(at, 1);
    const part = bytes.subarray(0, to - at);
    if (part.length === 0) return -1;
    sum = crc32(part, sum);
    at += part.length;
  }
  return sum;
}

async function nextMagic(window: Window, from: number, to: number): Promise<number | undefined> {
  for (let at = from; at < to;) {
    const bytes = await window.at(at, BLOCK_MAGIC.length);
    const found = bytes.indexOf(BLOCK_MAGIC);
    if (found >= 0) return at + found;
    if (bytes.length <= BLOCK_MAGIC.length) return undefined;
    at += bytes.length - BLOCK_MAGIC.length + 1;
  }
  return undefined;
}
