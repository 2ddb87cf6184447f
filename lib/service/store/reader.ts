import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { SEAL_BYTES } from '../aead.js';
import { KIND, decodeNumber, encodeNumber, headerKey, numberKey } from './codec.js';
import { pieceCount, sealedBody } from './codec.js';
import type { Index } from './open-index.js';
import { PART, type FragmentKey } from './seal.js';
import { FragmentDamagedError, PIECE_BYTES } from './types.js';
import type { FragmentReader, FragmentRecord, KeySource } from './types.js';

/** What a reader needs from the store that made it. @internal */
export interface ReaderHost {
  readonly index: Index;
  /** Path of a segment file of the stream. */
  readonly path: (segment: number) => string;
  readonly key: KeySource | undefined;
}

/** The disk store's `FragmentReader`. Concurrent use is not allowed. @internal */
export class DiskReader implements FragmentReader {
  readonly #id: number;
  readonly #host: ReaderHost;
  #file: FileHandle | undefined;
  #segment = 0;

  constructor(id: number, host: ReaderHost) {
    this.#id = id;
    this.#host = host;
  }

  async header(record: FragmentRecord): Promise<Uint8Array> {
    const stored = await this.#host.index.get(headerKey(KIND.header, this.#id, record.headerId));
    if (stored === undefined) throw damaged(record, 'has lost its MKV header');
    if (record.seal === undefined) return stored;
    const numberBytes = encodeNumber(0n).length;
    const first = decodeNumber(stored.subarray(0, numberBytes));
    const key = await this.#fragmentKey({ ...record, number: first });
    return opened(key?.open(PART.header, stored.subarray(numberBytes), record.headerId), () =>
      damaged(record, 'has another MKV header than was stored'),
    );
  }

  async tags(record: FragmentRecord): Promise<Uint8Array> {
    if (record.tagsBytes === 0) return new Uint8Array();
    const key = await this.#fragmentKey(record);
    const stored = await this.#host.index.get(numberKey(KIND.tags, this.#id, record.number));
    const length = record.tagsBytes + (key === undefined ? 0 : SEAL_BYTES);
    if (stored?.length !== length || crc32(stored) !== record.tagsSum) {
      throw damaged(record, 'has damaged tags');
    }
    if (key === undefined) return stored;
    return opened(key.open(PART.tags, stored), () =>
      damaged(record, 'has other tags than were stored'),
    );
  }

  async *pieces(record: FragmentRecord): AsyncGenerator<Uint8Array, void, undefined> {
    const key = await this.#fragmentKey(record);
    if (key !== undefined) checkEntry(key, record);
    const extra = key === undefined ? 0 : SEAL_BYTES;
    const file = await this.#open(record);
    for (let index = 0; index < pieceCount(record); index += 1) {
      const at = index * PIECE_BYTES;
      const length = Math.min(PIECE_BYTES, record.clusterBytes - at) + extra;
      const position = record.offset + at + index * extra;
      const fault = (what: string): FragmentDamagedError =>
        damaged(
          record,
          `${what}: piece ${String(index)} at byte ${String(position)} of ` +
            this.#host.path(record.segment),
        );
      const stored = await readExactly(file, position, length);
      if (stored === undefined || !hasSum(record, index, stored)) throw fault('is damaged');
      if (key === undefined) yield stored;
      else yield opened(key.open(index, stored), () => fault('is damaged or was changed'));
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /** Undefined for a fragment that was stored as it was sent. */
  async #fragmentKey(record: FragmentRecord): Promise<FragmentKey | undefined> {
    if (record.seal === undefined) return undefined;
    const { key } = this.#host;
    if (key === undefined) throw new Error('the reader of a sealed fragment was given no key');
    return (await key()).fragment(this.#id, record.number);
  }

  async #open(record: FragmentRecord): Promise<FileHandle> {
    if (this.#file !== undefined && this.#segment === record.segment) return this.#file;
    await this.close();
    const path = this.#host.path(record.segment);
    try {
      this.#file = await open(path, 'r');
    } catch (error) {
      throw damaged(record, `is lost: cannot open ${path}`, error);
    }
    this.#segment = record.segment;
    return this.#file;
  }
}

/** Whether a piece has its checksum; one that has a seal needs none. */
function hasSum({ sums, seal }: FragmentRecord, index: number, stored: Uint8Array): boolean {
  return (seal !== undefined && sums.length === 0) || crc32(stored) === sums[index];
}

/** What the index says of a sealed fragment must be what was said when it was stored. */
function checkEntry(key: FragmentKey, record: FragmentRecord): void {
  const { seal = new Uint8Array() } = record;
  const entry = key.open(PART.entry, seal, sealedBody(record));
  opened(entry, () => damaged(record, 'has another index entry than was stored'));
}

function opened(bytes: Uint8Array | undefined, fault: () => FragmentDamagedError): Uint8Array {
  if (bytes === undefined) throw fault();
  return bytes;
}

function damaged(record: FragmentRecord, what: string, cause?: unknown): FragmentDamagedError {
  const options = cause === undefined ? undefined : { cause };
  return new FragmentDamagedError(`fragment ${String(record.number)} ${what}`, options);
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
