import { open, type FileHandle } from 'node:fs/promises';
import { SEAL_BYTES } from '../aead.js';
import { RECORD_BYTES } from './blocks.js';
import { KIND, decodeSafe, headerKey, headerPlaceKey, numberKey } from './codec.js';
import { decodePlace, encodeRecordEntry } from './entries.js';
import type { Index } from './open-index.js';
import type { FragmentRecord, MediaPart, MediaReader } from './types.js';
import { FragmentDamagedError } from './types.js';

/** What a reader needs from the store that made it. @internal */
export interface ReaderHost {
  readonly index: Index;
  /** Path of a segment file of the stream. */
  readonly path: (segment: number) => string;
}

/** Bytes of a checksum behind a part that is not sealed. */
const SUM_BYTES = 4;

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

  part(record: FragmentRecord, part: MediaPart): Promise<Uint8Array | undefined> {
    if (record.layout === 4) return this.#partOf(record, part);
    const { index } = this.#host;
    if (part === 'tags') return index.get(numberKey(KIND.tags, this.#id, record.number));
    if (part === 'table') return Promise.resolve(undefined);
    return index.get(headerKey(KIND.header, this.#id, record.headerId));
  }

  async read(
    record: FragmentRecord,
    from: number,
    length: number,
  ): Promise<Uint8Array | undefined> {
    const { segment } = decodePlace(record.place);
    const file = await this.#open(record, segment);
    return readExactly(file, clusterAt(record) + from, length);
  }

  async agrees(record: FragmentRecord): Promise<boolean> {
    if (record.layout !== 4) return true;
    const bytes = await this.read(record, -RECORD_BYTES, RECORD_BYTES);
    const entry = await this.#host.index.get(numberKey(KIND.fragment, this.#id, record.number));
    if (bytes === undefined || entry === undefined) return false;
    return Buffer.compare(encodeRecordEntry(bytes, decodePlace(record.place)), entry) === 0;
  }

  where(record: FragmentRecord, from: number): string {
    const { segment } = decodePlace(record.place);
    return `byte ${String(clusterAt(record) + from)} of ${this.#host.path(segment)}`;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #partOf(record: FragmentRecord, part: MediaPart): Promise<Uint8Array | undefined> {
    const { segment } = decodePlace(record.place);
    if (part === 'header') {
      const key = headerPlaceKey(this.#id, segment, record.headerId);
      const place = await this.#host.index.get(key);
      if (place?.length !== 16) return undefined;
      const file = await this.#open(record, segment);
      return readExactly(file, decodeSafe(place), decodeSafe(place.subarray(8)));
    }
    const [tags, table] = [record.tagsBytes, record.tableBytes].map((bytes) =>
      bytes === 0 ? 0 : bytes + (record.sealed === undefined ? SUM_BYTES : SEAL_BYTES),
    );
    const length = (part === 'tags' ? tags : table) ?? 0;
    const from = record.storedBytes - (table ?? 0) - (part === 'tags' ? length : 0);
    return this.read(record, from, length);
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

/** The place of a fragment of format 4 is its record's. */
function clusterAt({ place, layout }: FragmentRecord): number {
  return decodePlace(place).offset + (layout === 4 ? RECORD_BYTES : 0);
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
