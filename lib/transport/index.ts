export { CALL_RESULT, resultOfAnswer, resultOfError } from './call-result.js';
export {
  HttpPutMediaTransport,
  type HttpAgents,
  type HttpTransportOptions,
} from './http-transport.js';
export { PutMediaRefusal } from './put-media-refusal.js';
export { connectionAgents, type ConnectionSettings } from './proxy.js';
export type {
  BodyState,
  PutMediaIo,
  PutMediaRequest,
  PutMediaSession,
  PutMediaTransport,
} from './put-media.js';
