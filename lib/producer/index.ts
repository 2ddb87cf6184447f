export type { WaitOptions } from './close-wait.js';
export type { Logger } from './logger.js';
export type { ProducerOptions } from './options.js';
export { KinesisVideoProducer } from './producer.js';
export type { OverflowPolicy, StreamDefinition, StreamingType } from './stream-definition.js';
export { KinesisVideoStream } from './stream.js';
export { VERSION } from './user-agent.js';
