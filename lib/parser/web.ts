import { FOR_COPYING } from './copy.js';
import type { MediaFrame } from './media-frame.js';
import { FrameReader, type FrameReaderOptions } from './frame-reader.js';
import { Gatherer } from './gather.js';
import { OutputSegmentMerger, type OutputSegmentMergerOptions } from './merger.js';
import { StreamingMkvReader } from './reader.js';
import { applyVisitor } from './visitor.js';

/**
 * Bytes to frames for `pipeThrough`, in browsers and in Node:
 *
 *     response.body.pipeThrough(frameTransformStream())
 *
 * Frames own their bytes. An error in the input or inside the media errors the stream.
 */
export function frameTransformStream(
  options: Pick<FrameReaderOptions, 'maxBlockBytes'> = {},
): TransformStream<Uint8Array, MediaFrame> {
  const reader = new FrameReader(options);
  const drain = (controller: TransformStreamDefaultController<MediaFrame>): void => {
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      if (event.kind === 'error') throw event.error;
      if (event.kind === 'frame') controller.enqueue(event);
    }
  };
  return new TransformStream<Uint8Array, MediaFrame>({
    transform(chunk, controller) {
      reader.push(chunk);
      drain(controller);
    },
    flush(controller) {
      reader.end();
      drain(controller);
    },
  });
}

/** Bytes of many chunks to bytes of playable segments; see `OutputSegmentMerger`. */
export function mergeTransformStream(
  options: Omit<OutputSegmentMergerOptions, 'write'> = {},
): TransformStream<Uint8Array, Uint8Array> {
  const reader = new StreamingMkvReader(FOR_COPYING);
  const output = new Gatherer();
  const merger = new OutputSegmentMerger({ ...options, write: output.write });
  const drain = (controller: TransformStreamDefaultController<Uint8Array>): void => {
    applyVisitor(reader, merger);
    if (output.length > 0) controller.enqueue(output.take());
    if (merger.isDone()) controller.terminate();
  };
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      reader.push(chunk);
      drain(controller);
    },
    flush(controller) {
      reader.end();
      drain(controller);
    },
  });
}
