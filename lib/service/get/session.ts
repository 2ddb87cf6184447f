import type { ServiceContext } from '../context.js';
import type { Call } from '../http/front.js';
import { Pacer } from '../pacer.js';
import type { StreamRecord } from '../store/types.js';
import { FragmentSender, type MediaReader } from './sender.js';

/** A reader's connection while media is sent to it. @internal */
export interface MediaSession {
  readonly sender: FragmentSender;
  /** Aborted when the reader has gone or must go. */
  readonly signal: AbortSignal;
  readonly stop: () => void;
}

/**
 * Runs `send` for a reader and ends the answer. That the reader goes away is no failure; what
 * `send` throws otherwise is thrown on. @internal
 */
export async function sendMedia(
  context: ServiceContext,
  operation: MediaReader,
  { response }: Call,
  stream: StreamRecord,
  send: (session: MediaSession) => Promise<void>,
): Promise<void> {
  const { limits, clock } = context.options;
  const ended = new AbortController();
  const stop = (): void => {
    ended.abort();
  };
  response.on('close', stop);
  const sender = new FragmentSender({
    store: context.store,
    stream: stream.id,
    meter: context.metrics.of(stream),
    operation,
    response,
    pacer: new Pacer(limits.getMediaBytesPerSecond, clock),
    signal: ended.signal,
  });
  try {
    await send({ sender, signal: ended.signal, stop });
  } catch (error) {
    if (!ended.signal.aborted) throw error;
  } finally {
    response.removeListener('close', stop);
    await sender.close();
  }
  response.end();
}

/** Begins the answer of a reading operation. @internal */
export function beginMedia({ response }: Call): void {
  response.writeHead(200, { 'content-type': 'video/webm' });
  response.flushHeaders();
}
