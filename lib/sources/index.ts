export { type AccessUnit, AccessUnitSplitter } from './annexb.js';
export type { Frame, TrackInfo } from '../base/media.js';
export type { FramesOptions, MediaFormat } from './container.js';
export { type MediaFile, type MediaFileOptions, openMediaFile } from './media-file.js';
