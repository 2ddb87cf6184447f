import type { IncomingMessage } from 'node:http';
import { CALL_RESULT, exceptionMessage, exceptionName, resultOfAnswer } from './call-result.js';
import { PutMediaRefusal } from './put-media-refusal.js';

const ERROR_TEXT_BYTES = 16 * 1024;
const ERROR_TEXT_MS = 2000;

/**
 * Watches a PutMedia answer to its end. `done` is called once: with 200 when a good answer has
 * ended, with the exception's result and text when the service refused the call. @internal
 */
export class AnswerReader {
  readonly #answer: IncomingMessage;
  readonly #done: (result: number, cause?: Error) => void;
  #text = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(answer: IncomingMessage, done: (result: number, cause?: Error) => void) {
    this.#answer = answer;
    this.#done = done;
  }

  start(): void {
    this.#answer.on('close', this.#onEnd);
    this.#answer.on('end', this.#onEnd);
    this.#answer.on('error', this.#onEnd);
    if (this.#answer.statusCode === CALL_RESULT.OK) return;
    this.#answer.setEncoding('utf8');
    this.#answer.on('data', (text: string) => {
      if (this.#text.length < ERROR_TEXT_BYTES) this.#text += text;
    });
    this.#timer = setTimeout(this.#onEnd, ERROR_TEXT_MS);
  }

  readonly #onEnd = (): void => {
    clearTimeout(this.#timer);
    this.#answer.off('close', this.#onEnd);
    this.#answer.off('end', this.#onEnd);
    this.#answer.on('error', () => undefined);
    const status = this.#answer.statusCode ?? CALL_RESULT.UNKNOWN;
    if (status === CALL_RESULT.OK) this.#endOfAcks();
    else this.#refusal(status);
  };

  #endOfAcks(): void {
    if (this.#answer.complete) this.#done(CALL_RESULT.OK);
    else this.#done(CALL_RESULT.NETWORK_READ_TIMEOUT, new Error('the connection was lost'));
  }

  #refusal(status: number): void {
    const header = this.#answer.headers['x-amzn-errortype'];
    const name = exceptionName(typeof header === 'string' ? header : undefined, this.#text);
    const message = `PutMedia was answered with ${status} ${name ?? ''}`.trim();
    const detail = exceptionMessage(this.#text);
    const time = Date.parse(this.#answer.headers.date ?? '');
    const cause = new PutMediaRefusal(
      detail === '' ? message : `${message}: ${detail}`,
      Number.isNaN(time) ? undefined : time,
    );
    this.#done(resultOfAnswer(status, name), cause);
  }
}
