import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServiceContext } from '../context.js';
import type { BodyDecoder } from '../http/aws-chunked.js';
import type { StreamHub } from '../hub.js';
import type { StreamRecord } from '../store/types.js';
import type { BodyDump } from './dump.js';
import type { FragmentSink } from './sink.js';

/** What a PutMedia call asked for. @internal */
export interface SessionOptions {
  readonly context: ServiceContext;
  readonly record: StreamRecord;
  readonly hub: StreamHub;
  /** Called when the first byte has come: a connection that is idle from the start costs no file. */
  readonly openSink: () => Promise<FragmentSink>;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Makes the Matroska bytes of the body. */
  readonly decoder: BodyDecoder;
  readonly acks: boolean;
  /** The client's address, for the log. */
  readonly client: string;
  /** Added to a Cluster's time to give the producer's time, ms. */
  readonly timeBase: number;
  readonly dump: BodyDump | undefined;
}
