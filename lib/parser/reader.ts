import { KvsError } from '../base/errors.js';
import { MKV_ID, UNKNOWN_ELEMENT, mkvElement, type MkvElementType } from '../generated/elements.js';
import { CRC_BYTES, CrcVerifier } from './crc.js';
import { hexId, readHeader, MAX_HEADER_BYTES, type Header } from './ebml.js';
import { inputError } from './errors.js';
import type { MkvEvent, MkvReaderOptions } from './events.js';
import { Collector, InputQueue } from './input.js';
import { Nesting } from './nesting.js';
import { checkWhole, fillReaderOptions, type FilledReaderOptions } from './options.js';

type Mode = 'header' | 'place' | 'whole' | 'stream' | 'skip';

/**
 * A pull parser of Matroska and WebM: bytes in, elements out, whatever the chunking. It takes
 * several documents in a row (each chunk of GetMedia is one), unknown sizes, and a body that
 * begins inside a Segment. Memory is bounded by the options, whatever the input says.
 *
 *     reader.push(bytes);
 *     for (let event = reader.next(); event !== undefined; event = reader.next()) { … }
 *
 * A fault in the input throws `KvsError` with the byte offset, and again at every later call.
 */
export class StreamingMkvReader {
  readonly #options: FilledReaderOptions;
  readonly #input = new InputQueue();
  readonly #nesting: Nesting;
  readonly #collector = new Collector();
  readonly #header: Header = { id: 0, size: 0, unknownSize: false, length: 0 };
  /** The first bytes of a header whose rest has not come. */
  readonly #partial = new Uint8Array(MAX_HEADER_BYTES);
  #partialLength = 0;
  #mode: Mode = 'header';
  /** The element whose header was read last, and where it begins. */
  #element: MkvElementType = UNKNOWN_ELEMENT;
  #elementOffset = 0;
  /** Bytes of its data that were not yet given or passed over (modes stream and skip). */
  #rest = 0;
  #ended = false;
  #finished = false;
  #failure: KvsError | undefined;

  constructor(options: MkvReaderOptions = {}) {
    this.#options = fillReaderOptions(options);
    this.#nesting = new Nesting(this.#options.maxDepth);
    if (this.#options.verifyCrc) this.#input.crc = new CrcVerifier();
  }

  /** Bytes of the input that were used up. */
  get offset(): number {
    return this.#input.offset;
  }

  /** Whether `end()` was called and everything has been given. */
  get finished(): boolean {
    return this.#finished;
  }

  /**
   * Gives the reader more input, of any length. It keeps a view of `bytes` and lends parts of it
   * in events: leave them as they are until `next()` has returned undefined.
   */
  push(bytes: Uint8Array): void {
    if (this.#ended) {
      throw new KvsError({
        status: 'STATUS_INVALID_OPERATION',
        message: 'StreamingMkvReader.push: called after end(); make a new reader for new input',
      });
    }
    this.#input.adopt(bytes);
  }

  /** Says that no more input comes. `next()` then closes what is open, or tells what is missing. */
  end(): void {
    this.#ended = true;
  }

  /**
   * The next event; undefined when more bytes are needed, or after `end()` when all is given.
   * Throws `KvsError` at a fault in the input: `STATUS_FORMAT_ERROR`, `STATUS_MKV_NUMBER_TOO_BIG`,
   * `STATUS_MKV_INVALID_PARENT_TYPE`, `STATUS_BUFFER_TOO_SMALL` above a limit of the options, and
   * `STATUS_UNEXPECTED_EOF` for input that ends inside an element.
   */
  next(): MkvEvent | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      const event = this.#step();
      if (event === undefined && this.#ended) return this.#finish();
      return event;
    } catch (error) {
      if (error instanceof KvsError) this.#failure = error;
      throw error;
    }
  }

  #step(): MkvEvent | undefined {
    switch (this.#mode) {
      case 'header':
        return this.#readHeader();
      case 'place':
        return this.#place();
      case 'whole':
        return this.#collect();
      case 'stream':
        return this.#stream();
      case 'skip':
        return this.#skip() ? this.#readHeader() : undefined;
    }
  }

  #readHeader(): MkvEvent | undefined {
    if (this.#partialLength === 0) {
      const offset = this.#input.offset;
      if (this.#nesting.endsAt(offset)) return this.#close(offset);
      this.#elementOffset = offset;
    }
    if (!this.#fillHeader()) return undefined;
    this.#element = mkvElement(this.#header.id);
    return this.#place();
  }

  #close(offset: number): MkvEvent {
    this.#input.crc?.finish(offset);
    return this.#nesting.close(offset);
  }

  /** Reads a header into `#header` from the chunk in use or, across chunks, byte by byte. */
  #fillHeader(): boolean {
    const input = this.#input;
    const at = this.#elementOffset;
    const available = input.available();
    if (this.#partialLength === 0 && available > 0) {
      const { chunk, position } = input;
      if (readHeader(chunk, position, position + available, at, this.#header)) {
        input.advance(this.#header.length);
        return true;
      }
    }
    while (input.available() > 0) {
      this.#partial[this.#partialLength] = input.chunk[input.position] ?? 0;
      this.#partialLength += 1;
      input.advance(1);
      if (readHeader(this.#partial, 0, this.#partialLength, at, this.#header)) {
        this.#partialLength = 0;
        return true;
      }
    }
    return false;
  }

  /** Finds where the element stands; masters of unknown size that cannot hold it end first. */
  #place(): MkvEvent | undefined {
    if (!this.#nesting.holds(this.#element)) {
      this.#nesting.checkCloses(this.#element, this.#header.id, this.#elementOffset);
      this.#mode = 'place';
      return this.#nesting.close(this.#elementOffset);
    }
    this.#mode = 'header';
    const { id, size, length } = this.#header;
    const bodyAt = this.#elementOffset + length;
    if (this.#element.type !== 'master') return this.#beginData(id, size, length, bodyAt);
    const known = !this.#header.unknownSize;
    if (known) this.#nesting.checkFits(this.#element, id, this.#elementOffset, bodyAt + size);
    if (known && this.#options.capture(this.#element) === 'skip') {
      return this.#beginSkip(id, size, length);
    }
    const depth = this.#nesting.depth;
    const end = known ? bodyAt + size : undefined;
    this.#nesting.open(this.#element, this.#elementOffset, bodyAt, end);
    return {
      kind: 'masterStart',
      element: this.#element,
      id,
      size: known ? size : undefined,
      offset: this.#elementOffset,
      headerLength: length,
      depth,
    };
  }

  #beginData(id: number, size: number, length: number, bodyAt: number): MkvEvent | undefined {
    const element = this.#element;
    const offset = this.#elementOffset;
    if (this.#header.unknownSize) {
      throw inputError(
        'STATUS_FORMAT_ERROR',
        offset,
        `${element.name} (${hexId(id)}) has no size; only masters may leave it open`,
      );
    }
    this.#nesting.checkFits(element, id, offset, bodyAt + size);
    const capture =
      element === UNKNOWN_ELEMENT ? this.#options.unknown : this.#options.capture(element);
    if (capture === 'skip') return this.#beginSkip(id, size, length);
    if (capture === 'stream') {
      this.#mode = 'stream';
      this.#rest = size;
      const depth = this.#nesting.depth;
      return { kind: 'streamStart', element, id, size, offset, headerLength: length, depth };
    }
    checkWhole(element, size, offset, this.#options);
    if (this.#input.available() >= size) return this.#give(this.#input.take(size));
    this.#collector.begin(size);
    this.#mode = 'whole';
    return this.#collect();
  }

  #give(data: Uint8Array): MkvEvent {
    if (this.#element.id === MKV_ID.CRC32) this.#beginCrc(data);
    return {
      kind: 'element',
      element: this.#element,
      id: this.#header.id,
      size: data.length,
      offset: this.#elementOffset,
      headerLength: this.#header.length,
      depth: this.#nesting.depth,
      data,
    };
  }

  #beginCrc(data: Uint8Array): void {
    const master = this.#nesting.beginsAt(this.#elementOffset);
    if (master === undefined || data.length !== CRC_BYTES) return;
    this.#input.crc?.begin(master.element.name, master.offset, master.end, data);
  }

  #collect(): MkvEvent | undefined {
    const { size } = this.#header;
    while (this.#collector.length < size) {
      const available = this.#input.available();
      if (available === 0) return undefined;
      const count = Math.min(available, size - this.#collector.length);
      this.#collector.add(this.#input.take(count), size);
    }
    this.#mode = 'header';
    return this.#give(this.#collector.view());
  }

  #stream(): MkvEvent | undefined {
    const available = this.#input.available();
    if (available === 0 && this.#rest > 0) return undefined;
    const offset = this.#input.offset;
    const bytes = this.#input.take(Math.min(available, this.#rest));
    this.#rest -= bytes.length;
    const last = this.#rest === 0;
    if (last) this.#mode = 'header';
    return { kind: 'data', element: this.#element, id: this.#header.id, offset, bytes, last };
  }

  #beginSkip(id: number, size: number, length: number): MkvEvent {
    this.#mode = 'skip';
    this.#rest = size;
    return {
      kind: 'skipped',
      element: this.#element,
      id,
      size,
      offset: this.#elementOffset,
      headerLength: length,
      depth: this.#nesting.depth,
    };
  }

  /** Passes over the rest of an element; true when it is behind. */
  #skip(): boolean {
    while (this.#rest > 0) {
      const count = Math.min(this.#input.available(), this.#rest);
      if (count === 0) return false;
      this.#input.advance(count);
      this.#rest -= count;
    }
    this.#mode = 'header';
    return true;
  }

  /** After the last byte: closes masters of unknown size; anything else open is cut off. */
  #finish(): MkvEvent | undefined {
    const offset = this.#input.offset;
    if (this.#mode !== 'header') {
      const missing = this.#elementOffset + this.#header.length + this.#header.size - offset;
      throw inputError(
        'STATUS_UNEXPECTED_EOF',
        offset,
        `it ends inside ${this.#element.name} (begun at byte ${this.#elementOffset}), ` +
          `${missing} bytes before its end`,
      );
    }
    if (this.#partialLength > 0) {
      throw inputError('STATUS_UNEXPECTED_EOF', offset, 'it ends inside an element header');
    }
    if (this.#nesting.depth > 0) {
      this.#nesting.checkEnd(offset);
      return this.#nesting.close(offset);
    }
    this.#finished = true;
    return undefined;
  }
}
