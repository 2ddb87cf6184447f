export { parseBlock, type MkvBlock, type MkvLacing } from './block.js';
export { writeHeader } from './ebml.js';
export type {
  MkvCapture,
  MkvData,
  MkvDataElement,
  MkvEvent,
  MkvMasterEnd,
  MkvMasterStart,
  MkvReaderOptions,
  MkvSkipped,
  MkvStreamStart,
} from './events.js';
export type { MediaEvent } from './frame-collector.js';
export type { MediaFrame } from './media-frame.js';
export { FrameReader, type FrameReaderOptions } from './frame-reader.js';
export { FrameVisitor, type FrameVisitorOptions } from './frame-visitor.js';
export { CopyVisitor, FOR_COPYING, type WriteBytes } from './copy.js';
export {
  mergeSegments,
  OutputSegmentMerger,
  type MergeSegmentsOptions,
  type OutputSegment,
  type OutputSegmentMergerOptions,
} from './merger.js';
export { frameTransformStream, mergeTransformStream } from './web.js';
export {
  readFrames,
  readMedia,
  type ReadFramesCallbacks,
  type ReadFramesOptions,
} from './frames.js';
export { FragmentMetadataVisitor, type FragmentMetadata } from './metadata.js';
export type { ByteSource } from './source.js';
export { KVS_TAG, KVS_TAG_PREFIX, inBandKvsError, type InBandError, type MkvTag } from './tags.js';
export type { MkvTrack } from './tracks.js';
export { CompositeMkvElementVisitor, applyVisitor, type MkvElementVisitor } from './visitor.js';
export { StreamingMkvReader } from './reader.js';
export { writeElement, writeFloat, writeUint } from './write.js';
export { readDate, readFloat, readInt, readString, readUint, readUint64 } from './values.js';
export {
  MKV_ELEMENTS,
  MKV_ID,
  UNKNOWN_ELEMENT,
  mkvElement,
  type MkvElementName,
  type MkvElementType,
  type MkvValueType,
} from '../generated/elements.js';
