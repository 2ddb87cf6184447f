export { KinesisVideoClient } from './client.js';
export type { CallMessage, FrameRefusedMessage, NoteMessage } from './diagnostics.js';
export type { ClientNote, ClientNoteName, StreamNote, StreamNoteName } from './notes.js';
export type { Gap } from './gaps.js';
export type { HealthCondition, StreamHealth } from './health.js';
export type { Logger } from './logger.js';
export {
  CallbackMediaSource,
  type FrameFeed,
  type MediaSource,
  type MediaSourceSink,
} from './media-source.js';
export type { ProducerOptions } from './options.js';
export type { PauseOptions } from './pre-roll.js';
export { KinesisVideoProducer } from './producer.js';
export type { OverflowPolicy, StreamDefinition, StreamingType } from './stream-definition.js';
export { KinesisVideoStream } from './stream.js';
export type { Meter, MeterProvider } from './telemetry.js';
export { VERSION } from '../base/user-agent.js';
export type { WaitOptions } from './wait.js';
