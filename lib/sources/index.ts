export {
  type AccessUnit,
  AccessUnitSplitter,
  type AccessUnitSplitterOptions,
} from './video/access-units.js';
export type { ParameterSets, VideoCodec } from './video/codec.js';
export type { Frame, TrackInfo } from '../base/media.js';
export type { FoundTrack, FramesOptions, MediaFormat } from './container.js';
export { type MediaFile, type MediaFileOptions, openMediaFile } from './media-file.js';
export { AnnexBSplitter, type AnnexBSplitterOptions } from './annexb-splitter.js';
export { sampleClip } from './sample-clip.js';
export {
  fromEncodedChunk,
  trackFromDecoderConfig,
  type BytesLike,
  type DecoderConfigLike,
  type EncodedChunk,
  type EncodedChunkOptions,
} from './webcodecs.js';
