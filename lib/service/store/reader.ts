import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { FragmentDamagedError, PIECE_BYTES } from './types.js';
import type { FragmentReader, FragmentRecord } from './types.js';

/** The disk store's `FragmentReader`. Concurrent use is not allowed. @internal */
export class DiskReader implements FragmentReader {
  readonly #path: (segment: number) => string;
  #file: FileHandle | undefined;
  #segment = 0;

  constructor(path: (segment: number) => string) {
    this.#path = path;
  }

  async *pieces(record: FragmentRecord): AsyncGenerator<Uint8Array, void, undefined> {
    const file = await this.#open(record);
    for (let index = 0; index < record.sums.length; index += 1) {
      const at = index * PIECE_BYTES;
      const length = Math.min(PIECE_BYTES, record.clusterBytes - at);
      const piece = await readExactly(file, record.offset + at, length);
      if (piece === undefined || crc32(piece) !== record.sums[index]) {
        throw new FragmentDamagedError(
          `fragment ${String(record.number)} is damaged: piece ${String(index)} at byte ` +
            `${String(record.offset + at)} of ${this.#path(record.segment)}`,
        );
      }
      yield piece;
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #open(record: FragmentRecord): Promise<FileHandle> {
    if (this.#file !== undefined && this.#segment === record.segment) return this.#file;
    await this.close();
    try {
      this.#file = await open(this.#path(record.segment), 'r');
    } catch (error) {
      throw new FragmentDamagedError(
        `fragment ${String(record.number)}: cannot open ${this.#path(record.segment)}`,
        { cause: error },
      );
    }
    this.#segment = record.segment;
    return this.#file;
  }
}

async function readExactly(
  file: FileHandle,
  position: number,
  length: number,
): Promise<Uint8Array | undefined> {
  const bytes = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, position + filled);
    if (bytesRead === 0) return undefined;
    filled += bytesRead;
  }
  return bytes;
}
