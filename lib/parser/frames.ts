import type { KvsError } from '../base/errors.js';
import type { MediaEvent } from './frame-collector.js';
import type { MediaFrame } from './media-frame.js';
import { FrameReader, type FrameReaderOptions } from './frame-reader.js';
import type { FragmentMetadata } from './metadata.js';
import { abortable, type ByteSource } from './source.js';

/** Settings of `readFrames` and `readMedia`. */
export interface ReadFramesOptions extends FrameReaderOptions {
  /** Ends the reading with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Settings of `readFrames`. */
export interface ReadFramesCallbacks {
  /** Told when a fragment is over, with what stands after its media. */
  readonly onFragmentEnd?: (fragment: FragmentMetadata) => void;
  /** Told of an error inside the media; without it, `readFrames` throws the error. */
  readonly onError?: (error: KvsError) => void;
}

/**
 * Frames, fragment ends and in-band errors of a GetMedia payload, a file, or any other Matroska,
 * in input order. Ends when `source` ends; leaving the loop early closes `source`.
 * Throws `KvsError` at a fault in the input, with its byte offset.
 */
export async function* readMedia(
  source: ByteSource,
  options: ReadFramesOptions = {},
): AsyncGenerator<MediaEvent, void, undefined> {
  const reader = new FrameReader(options);
  for await (const chunk of abortable(source, options.signal)) {
    reader.push(chunk);
    for (let event = reader.next(); event !== undefined; event = reader.next()) yield event;
  }
  reader.end();
  for (let event = reader.next(); event !== undefined; event = reader.next()) yield event;
}

/**
 * The frames of a GetMedia payload, a file, or any other Matroska, in input order:
 *
 *     for await (const frame of readFrames(Payload)) { … }
 *
 * Throws `KvsError` at a fault in the input, and for an error that the service reports inside the
 * media unless `onError` takes it.
 */
export async function* readFrames(
  source: ByteSource,
  options: ReadFramesOptions & ReadFramesCallbacks = {},
): AsyncGenerator<MediaFrame, void, undefined> {
  for await (const event of readMedia(source, options)) {
    switch (event.kind) {
      case 'frame':
        yield event;
        break;
      case 'fragmentEnd':
        options.onFragmentEnd?.(event.fragment);
        break;
      case 'error':
        if (options.onError === undefined) throw event.error;
        options.onError(event.error);
        break;
    }
  }
}
