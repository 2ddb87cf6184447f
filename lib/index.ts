export { KvsError } from './base/errors.js';
export type { Clock } from './base/clock.js';
export type { CredentialProvider, Credentials } from './base/credentials.js';
export {
  FRAME_FLAG,
  NAL_ADAPTATION,
  TRACK_TYPE,
  type Frame,
  type TrackInfo,
} from './base/media.js';
export { STATUS, statusName, type StatusName } from './generated/status.js';
export type { ClientMetrics, StreamMetrics } from './generated/metrics.js';
export * from './producer/index.js';
export * from './providers/index.js';
export * from './transport/index.js';
