import type { Credentials } from '../../base/credentials.js';
import type { NativeStream } from '../../native/index.js';
import { CALL_RESULT } from '../../transport/index.js';
import type { CheckedDefinition } from '../definition/definition-check.js';
import type { Trouble } from '../reporting/health.js';
import type { StreamNote } from '../reporting/notes.js';
import { Pacer, type Pace } from './pacer.js';
import { StopState } from './stop-state.js';

const DENIED: ReadonlySet<number> = new Set<number>([
  CALL_RESULT.NOT_AUTHORIZED,
  CALL_RESULT.FORBIDDEN,
  CALL_RESULT.AUTH_FAILURE,
]);

/** A PutMedia session as the stream's other parts see it. @internal */
export interface LiveSession {
  readonly number: number;
  /** There is something to take again. */
  wake(): void;
  /** A frame was put. */
  more(): void;
  /** Breaks the connection. */
  abort(): void;
  /** The stream is done and is being forgotten: ends the body in order, and on its own. */
  finish(): void;
}

/** What the producer holds of one stream: its part of the core and what the service said. @internal */
export class StreamLink {
  readonly name: string;
  readonly definition: CheckedDefinition;
  readonly native: NativeStream;
  readonly pacer: Pacer;
  streamArn: string | undefined;
  endpoint: string | undefined;
  token: Credentials | undefined;
  /** Whether a call with `token` was refused since it was got. */
  denied = false;
  session: LiveSession | undefined;
  readonly life: StopState = new StopState();
  /** Told each note about the stream, before any user is. */
  onNote: (note: StreamNote) => void = () => undefined;
  /** Told what went wrong and is tried again. */
  onTrouble: (trouble: Trouble) => void = () => undefined;
  /** Told when bytes were taken or acknowledged. */
  onProgress: () => void = () => undefined;

  constructor(definition: CheckedDefinition, native: NativeStream, pace: Pace) {
    this.name = definition.info.name;
    this.definition = definition;
    this.native = native;
    this.pacer = new Pacer(pace);
  }

  /** A call was answered with `result`: the token may be at fault. */
  refused(result: number): void {
    if (DENIED.has(result)) this.denied = true;
  }
}
