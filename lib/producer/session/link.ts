import type { NativeStream } from '../../native/index.js';
import type { CheckedDefinition } from '../definition/definition-check.js';
import type { Trouble } from '../reporting/health.js';
import type { StreamNote } from '../reporting/notes.js';
import { Pacer, type Pace } from './pacer.js';
import { StopState } from './stop-state.js';
import { StreamToken } from './token-keeper.js';

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
  readonly token: StreamToken = new StreamToken();
  session: LiveSession | undefined;
  readonly life: StopState = new StopState();
  /** Told each note about the stream, before any user is. */
  onNote: (note: StreamNote) => void = () => undefined;
  /** Told what went wrong and is tried again. */
  onTrouble: (trouble: Trouble) => void = () => undefined;
  /** Whether anybody has asked to be told what goes wrong with the stream. */
  heard: () => boolean = () => false;
  /** Told when bytes were taken or acknowledged. */
  onProgress: () => void = () => undefined;

  constructor(definition: CheckedDefinition, native: NativeStream, pace: Pace) {
    this.name = definition.info.name;
    this.definition = definition;
    this.native = native;
    this.pacer = new Pacer(pace);
  }
}
