import { KIND, decodePlace, headerKey, numberKey } from './codec.js';
import { open, type FileHandle } from 'node:fs/promises';
import type { Index } from './open-index.js';
import type { FragmentRecord, MediaReader } from './types.js';
import { FragmentDamagedError } from './types.js';

/** What a reader needs from the store that made it. @internal */
export interface ReaderHost {
  readonly index: Index;
  /** Path of a segment file of the stream. */
  readonly path: (segment: number) => string;
}

/** Reads what a disk store has of one stream. Concurrent use is not allowed. @internal */
export class DiskReader implements MediaReader {
  readonly #id: number;
  readonly #host: ReaderHost;
  #file: FileHandle | undefined;
  #segment = 0;

  constructor(id: number, host: ReaderHost) {
    this.#id = id;
    this.#host = host;
  }

  part(
    { number, headerId }: FragmentRecord,
    part: 'tags' | 'header',
  ): Promise<Uint8Array | undefined> {
    const { index } = this.#host;
    if (part === 'tags') return index.get(numberKey(KIND.tags, this.#id, number));
    return index.get(headerKey(KIND.header, this.#id, headerId));
  }

  async read(
    record: FragmentRecord,
    from: number,
    length: number,
  ): Promise<Uint8Array | undefined> {
    const { segment, offset } = decodePlace(record.place);
    const file = await this.#open(record, segment);
    return readExactly(file, offset + from, length);
  }

  where({ place }: FragmentRecord, from: number): string {
    const { segment, offset } = decodePlace(place);
    return `byte ${String(offset + from)} of ${this.#host.path(segment)}`;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #open({ number }: FragmentRecord, segment: number): Promise<FileHandle> {
    if (this.#file !== undefined && this.#segment === segment) return this.#file;
    await this.close();
    const path = this.#host.path(segment);
    try {
      this.#file = await open(path, 'r');
    } catch (cause) {
      const message = `fragment ${String(number)} is lost: cannot open ${path}`;
      throw new FragmentDamagedError(message, { cause });
    }
    this.#segment = segment;
    return this.#file;
  }
}

/** Bytes of a file; undefined where it is too short. @internal */
export async function readExactly(
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
