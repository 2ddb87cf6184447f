import type { ServerResponse } from 'node:http';
import { ACK_ERRORS, type AckErrorId } from '../errors.js';

/** Which fragment an ack is about, as far as that is known. @internal */
export interface AckSubject {
  readonly timecode?: number | undefined;
  readonly number?: bigint | undefined;
}

/** Above this many unsent bytes of acks the body is not read on. */
const HIGH_WATER = 64 * 1024;

/** Writes acks as lines of JSON, or nothing where the producer wants none. @internal */
export class AckWriter {
  readonly #response: ServerResponse;
  readonly #wanted: boolean;

  constructor(response: ServerResponse, wanted: boolean) {
    this.#response = response;
    this.#wanted = wanted;
  }

  /** Whether the producer leaves its acks unread. */
  get choked(): boolean {
    return this.#response.writableLength > HIGH_WATER;
  }

  /** Resolves when the producer has read them, or the signal aborts. */
  async drained(signal: AbortSignal): Promise<void> {
    if (!this.#response.writableNeedDrain || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#response.removeListener('drain', done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#response.on('drain', done);
      signal.addEventListener('abort', done);
    });
  }

  /** Gives whether it was sent, as the others do. */
  event(type: 'BUFFERING' | 'RECEIVED' | 'PERSISTED', subject: AckSubject): boolean {
    return this.#send({ EventType: type, ...fieldsOf(subject) });
  }

  idle(): void {
    this.#send({ EventType: 'IDLE' });
  }

  error(id: AckErrorId, subject: AckSubject): boolean {
    return this.#send({
      EventType: 'ERROR',
      ...fieldsOf(subject),
      ErrorId: id,
      ErrorCode: ACK_ERRORS[id],
    });
  }

  #send(ack: object): boolean {
    if (!this.#wanted || this.#response.writableEnded || this.#response.destroyed) return false;
    this.#response.write(`${JSON.stringify(ack)}\r\n`);
    return true;
  }
}

function fieldsOf({ timecode, number }: AckSubject): object {
  return {
    ...(timecode !== undefined && { FragmentTimecode: timecode }),
    ...(number !== undefined && { FragmentNumber: number.toString() }),
  };
}
