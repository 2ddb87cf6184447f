export { CALL_RESULT, resultOfAnswer, resultOfError } from './call-result.js';
export { HttpPutMediaTransport, type HttpTransportOptions } from './http-transport.js';
export { PutMediaRefusal } from './put-media-refusal.js';
export { connectionAgents, type ConnectionSettings, type HttpAgents } from './connections.js';
export type {
  BodyState,
  PutMediaIo,
  PutMediaRequest,
  PutMediaSession,
  PutMediaTransport,
} from './put-media.js';
