export type { Backoff } from './backoff.js';
export type { DataApi, StreamConnection } from './connection.js';
export {
  getMediaForFragments,
  listFragments,
  type FragmentInfo,
  type FragmentRange,
  type GetMediaForFragmentsOptions,
  type ListFragmentsOptions,
} from './fragments.js';
export {
  GetMediaReader,
  type GetMediaReaderOptions,
  type ReconnectNotice,
  type StreamEvent,
} from './get-media-reader.js';
export { hlsUrl, type HlsUrlOptions } from './hls.js';
export { FrameTransform } from './node-streams.js';
export type { MediaStart } from './resume.js';
export { saveClip, type SaveClipOptions, type SavedClip } from './save-clip.js';
