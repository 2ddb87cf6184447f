export { KinesisVideoClient } from './client/client.js';
export type { CallMessage, FrameRefusedMessage, NoteMessage } from './reporting/diagnostics.js';
export type { ClientNote, ClientNoteName, StreamNote, StreamNoteName } from './reporting/notes.js';
export type { Gap } from './reporting/gaps.js';
export type { HealthCondition, StreamHealth } from './reporting/health.js';
export type { Logger } from './reporting/logger.js';
export {
  CallbackMediaSource,
  type FrameFeed,
  type MediaSource,
  type MediaSourceSink,
} from './client/media-source.js';
export type { ProducerOptions } from './client/options.js';
export type { FragmentEvent, FragmentEventOptions } from './stream/events-of-fragment.js';
export { FrameWritable, type StreamEvents, type StreamListener } from './stream/frame-writable.js';
export type { PauseOptions } from './stream/pre-roll.js';
export { KinesisVideoProducer } from './client/producer.js';
export type {
  OverflowPolicy,
  StreamDefinition,
  StreamingType,
} from './definition/stream-definition.js';
export { KinesisVideoStream } from './stream/stream.js';
export type { Meter, MeterProvider } from './reporting/telemetry.js';
export { VERSION } from '../base/user-agent.js';
export type { WaitOptions } from './session/wait.js';
