import { Transform, type TransformCallback } from 'node:stream';
import { KvsError } from '../base/errors.js';
import type { Frame } from '../base/media.js';
import { roundToMicroseconds } from './container.js';
import { type AccessUnit, AccessUnitSplitter } from './video/access-units.js';
import type { VideoCodec } from './video/codec.js';

/** How an `AnnexBSplitter` makes frames. */
export interface AnnexBSplitterOptions {
  /** H.264 by default. */
  readonly codec?: VideoCodec;
  /**
   * Frames a second: frames then stand so far apart, from `startMs` on. When left out, each has the
   * time at which it came, which fits what is live.
   */
  readonly frameRate?: number;
  /** Time of the first frame, ms since 1970; when it comes, by default. */
  readonly startMs?: number;
  /** Track of the frames; 1 by default. */
  readonly trackId?: number;
}

/** No encoder makes a picture this large; what seems to is not video. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Cuts a byte stream of H.264 or H.265 with start codes (Annex B), as encoders write it to a pipe, into
 * frames: `pipeline(process.stdin, new AnnexBSplitter(), stream)`. Chunks may be of any size; a frame
 * comes as soon as the next one begins. Frames are stamped in the order in which they come: encode
 * without B-frames, whose order of showing is another. Fails with `KvsError` where what comes is no video.
 */
export class AnnexBSplitter extends Transform {
  readonly #splitter: AccessUnitSplitter;
  readonly #trackId: number;
  readonly #frameMs: number | undefined;
  #next: number | undefined;
  #frames = 0;
  #bytes = 0;

  /** Throws `KvsError` when an option is not as described. */
  constructor(options: AnnexBSplitterOptions = {}) {
    super({ readableObjectMode: true });
    const { codec = 'h264', frameRate, startMs, trackId = 1 } = options;
    const rated = frameRate === undefined || (frameRate > 0 && frameRate <= 1000);
    if (!rated) throw refused(`frameRate is ${String(frameRate)}; give frames a second`);
    if (!['h264', 'h265'].includes(codec)) {
      throw refused(`codec is '${String(codec)}'; give 'h264' or 'h265'`);
    }
    this.#splitter = new AccessUnitSplitter({ codec });
    this.#trackId = trackId;
    this.#frameMs = frameRate === undefined ? undefined : 1000 / frameRate;
    this.#next = startMs;
  }

  /** @internal */
  override _transform(
    chunk: Uint8Array | string,
    encoding: BufferEncoding,
    done: TransformCallback,
  ): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk;
    this.#bytes += bytes.length;
    this.#give(this.#splitter.push(bytes));
    const { pendingBytes } = this.#splitter;
    if (Math.max(pendingBytes, this.#frames === 0 ? this.#bytes : 0) > MOST_BYTES) {
      done(refused(`${this.#bytes} bytes have come, and no frame ends in them; they are no video`));
    } else done();
  }

  /** @internal */
  override _flush(done: TransformCallback): void {
    this.#give(this.#splitter.end());
    const nothing = this.#frames === 0 && this.#bytes > 0;
    done(nothing ? refused(`${this.#bytes} bytes have come, and no frame is in them`) : null);
  }

  #give(units: readonly AccessUnit[]): void {
    for (const unit of units) {
      const frame: Frame = {
        frameData: unit.bytes,
        key: unit.key,
        presentationTs: this.#time(),
        ...(this.#frameMs === undefined ? {} : { duration: roundToMicroseconds(this.#frameMs) }),
        trackId: this.#trackId,
      };
      this.push(frame);
      this.#frames += 1;
    }
  }

  /** Times grow from frame to frame, even of frames that come together. */
  #time(): number {
    const [next, frameMs] = [this.#next, this.#frameMs];
    const time = frameMs === undefined ? Math.max(Date.now(), next ?? 0) : (next ?? Date.now());
    this.#next = time + (frameMs ?? 1);
    return roundToMicroseconds(time);
  }
}

function refused(message: string): KvsError {
  return new KvsError({ status: 'STATUS_INVALID_ARG', message: `AnnexBSplitter: ${message}` });
}
