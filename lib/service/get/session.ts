import type { ServiceContext } from '../context.js';
import type { Call } from '../http/front.js';
import { KeyError } from '../keys/key-error.js';
import { Pacer } from '../pacer.js';
import { openReader, type KeySource } from '../media/reader.js';
import type { StreamRecord } from '../store/types.js';
import { mayUseKey } from '../policy/authorize.js';
import { FragmentSender, type MediaReader } from './sender.js';

/** Node's timers take no more, ms. */
const MAX_TIMER = 2 ** 31 - 1;

/** A reader's connection while media is sent to it. @internal */
export interface MediaSession {
  readonly sender: FragmentSender;
  /** Aborted when the reader has gone or must go. */
  readonly signal: AbortSignal;
  readonly stop: () => void;
}

/** A stream to read, and the key to read it with. @internal */
export interface MediaSource {
  readonly record: StreamRecord;
  /** Why the reader may not use the key; it is told in the media, not before. */
  readonly refused: KeyError | undefined;
  readonly key: KeySource | undefined;
}

/** Looks up the key of a stream for a reader. @internal */
export async function mediaSource(
  context: ServiceContext,
  call: Call,
  record: StreamRecord,
): Promise<MediaSource> {
  try {
    const key = await context.keys.toRead(record, mayUseKey(call, record));
    return { record, refused: undefined, key };
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    return { record, refused: error, key: undefined };
  }
}

/**
 * Runs `send` for a reader and ends the answer. That the reader goes away is no failure; what
 * `send` throws otherwise is thrown on. @internal
 */
export async function sendMedia(
  context: ServiceContext,
  operation: MediaReader,
  { response }: Call,
  { record, key }: MediaSource,
  send: (session: MediaSession) => Promise<void>,
): Promise<void> {
  const { limits, clock } = context.options;
  const ended = new AbortController();
  const stop = (): void => {
    ended.abort();
  };
  response.on('close', stop);
  const sender = new FragmentSender({
    reader: openReader(context.store, record.id, key),
    meter: context.metrics.of(record),
    operation,
    response,
    pacer: new Pacer(limits.getMediaBytesPerSecond, clock),
    signal: ended.signal,
    stall: limits.readerStall,
  });
  const age = Math.min(limits.readerDuration, MAX_TIMER);
  const timer = setTimeout(stop, age);
  try {
    await send({ sender, signal: ended.signal, stop });
  } catch (error) {
    if (!ended.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
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
