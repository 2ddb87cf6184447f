import { MKV_ID, type MkvElementType } from '../generated/elements.js';
import type { MkvCapture } from './events.js';
import { FrameCollector, type MediaEvent } from './frame-collector.js';
import type { FragmentMetadataVisitor } from './metadata.js';
import { StreamingMkvReader } from './reader.js';

/** Settings of `FrameReader` and `readFrames`. */
export interface FrameReaderOptions {
  /** Do not copy frames: `data` is lent until the next frame is asked for. Default false. */
  readonly lend?: boolean;
  /**
   * With `lend`: do not even join frames that lie across pushed chunks, but give their `pieces`.
   * Pushed chunks must then stay as they are until the frame after them was asked for. Default false.
   */
  readonly pieces?: boolean;
  /** Largest frame container, bytes; default 64 MiB. */
  readonly maxBlockBytes?: number;
  /** Check CRC-32 elements; see `MkvReaderOptions`. Default false. */
  readonly verifyCrc?: boolean;
}

const DEFAULT_MAX_BLOCK_BYTES = 64 * 1024 * 1024;

/** Elements that say nothing of frames; the reader passes over them. */
const PASSED_OVER: ReadonlySet<number> = new Set<number>([
  MKV_ID.VOID,
  MKV_ID.SEEK_HEAD,
  MKV_ID.CUES,
  MKV_ID.CHAPTERS,
  MKV_ID.ATTACHMENTS,
  MKV_ID.ENCRYPTED_BLOCK,
  MKV_ID.BLOCK_ADDITIONS,
]);

function captureForFrames(element: MkvElementType): MkvCapture {
  return PASSED_OVER.has(element.id) ? 'skip' : 'whole';
}

function captureInPieces(element: MkvElementType): MkvCapture {
  return element.id === MKV_ID.SIMPLE_BLOCK ? 'stream' : captureForFrames(element);
}

/** Bytes in, frames and fragments out: `StreamingMkvReader` with the elements understood. */
export class FrameReader {
  readonly #reader: StreamingMkvReader;
  readonly #frames: FrameCollector;

  constructor(options: FrameReaderOptions = {}) {
    const maxBlockBytes = options.maxBlockBytes ?? DEFAULT_MAX_BLOCK_BYTES;
    this.#reader = new StreamingMkvReader({
      capture:
        options.lend === true && options.pieces === true ? captureInPieces : captureForFrames,
      maxBlockBytes,
      verifyCrc: options.verifyCrc ?? false,
    });
    this.#frames = new FrameCollector(options.lend ?? false, maxBlockBytes);
  }

  /** The tracks of the current Segment and the newest token and delay. */
  get metadata(): FragmentMetadataVisitor {
    return this.#frames.metadata;
  }

  /** As `StreamingMkvReader.push`. */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
  }

  /** As `StreamingMkvReader.end`. */
  end(): void {
    this.#reader.end();
  }

  /** The next frame or fragment end; undefined when more bytes are needed or all is given. */
  next(): MediaEvent | undefined {
    for (;;) {
      const waiting = this.#frames.waiting();
      if (waiting !== undefined) return waiting;
      const event = this.#reader.next();
      if (event === undefined) {
        if (this.#reader.finished) this.#frames.metadata.finish();
        return this.#frames.waiting();
      }
      const frame = this.#frames.take(event);
      if (frame !== undefined) return frame;
    }
  }
}
