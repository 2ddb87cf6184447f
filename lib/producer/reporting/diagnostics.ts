import { channel, type Channel } from 'node:diagnostics_channel';
import type { KvsError } from '../../base/errors.js';
import type { Frame } from '../../base/media.js';
import type { ClientNote, StreamNote } from './notes.js';

/** Message of the channel `kinesis-video:note`: a callback of the guide, by name. */
export interface NoteMessage {
  /** Name of the stream; undefined for notes about the producer. */
  readonly stream: string | undefined;
  readonly note: ClientNote | StreamNote;
}

/** Message of the channel `kinesis-video:call`: a call to the service that was answered. */
export interface CallMessage {
  readonly stream: string | undefined;
  /** For example `describeStream`. */
  readonly call: string;
  /** 200, another HTTP status, or one of `CALL_RESULT`. */
  readonly result: number;
  readonly durationMs: number;
  readonly error: unknown;
}

/** Message of the channel `kinesis-video:frame-refused`. */
export interface FrameRefusedMessage {
  readonly stream: string;
  readonly frame: Frame;
  readonly error: KvsError;
}

/** Publishes to `node:diagnostics_channel`; costs nothing while nobody listens. @internal */
export class Diagnostics {
  readonly #notes: Channel = channel('kinesis-video:note');
  readonly #calls: Channel = channel('kinesis-video:call');
  readonly #refused: Channel = channel('kinesis-video:frame-refused');

  note(stream: string | undefined, note: ClientNote | StreamNote): void {
    if (!this.#notes.hasSubscribers) return;
    const message: NoteMessage = { stream, note };
    this.#notes.publish(message);
  }

  call(message: CallMessage): void {
    if (this.#calls.hasSubscribers) this.#calls.publish(message);
  }

  refused(message: FrameRefusedMessage): void {
    if (this.#refused.hasSubscribers) this.#refused.publish(message);
  }
}
