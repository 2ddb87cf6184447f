import { asError } from '../base/values.js';
import { Transform, type TransformCallback } from 'node:stream';
import { FrameReader, type FrameReaderOptions } from '../parser/index.js';

/**
 * Bytes in, `MediaFrame` objects out, for `pipeline(payload, new FrameTransform(), …)`. Frames own
 * their bytes. An error in the input or inside the media destroys the stream with a `KvsError`.
 */
export class FrameTransform extends Transform {
  readonly #reader: FrameReader;

  constructor(options: Pick<FrameReaderOptions, 'maxBlockBytes' | 'verifyCrc'> = {}) {
    super({ readableObjectMode: true });
    this.#reader = new FrameReader(options);
  }

  override _transform(chunk: Uint8Array, _: BufferEncoding, done: TransformCallback): void {
    this.#run(() => this.#reader.push(chunk), done);
  }

  override _flush(done: TransformCallback): void {
    this.#run(() => this.#reader.end(), done);
  }

  #run(feed: () => void, done: TransformCallback): void {
    try {
      feed();
      for (let event = this.#reader.next(); event !== undefined; event = this.#reader.next()) {
        if (event.kind === 'error') throw event.error;
        if (event.kind === 'frame') this.push(event);
      }
      done();
    } catch (error) {
      done(asError(error));
    }
  }
}
