import type { EventEmitter } from 'node:events';
import type { StreamCallbackProvider, StreamHandle } from '../../providers/index.js';
import { describeError } from '../../base/values.js';
import { isThenable, type Log } from './logger.js';
import type { StreamNote } from './notes.js';

/** Runs user code: what it throws or rejects with goes to the log and no further. @internal */
export function deliver(log: Log, name: string, call: () => unknown): void {
  const failed = (error: unknown): void => {
    log.write('error', `callback ${name}`, `the callback ${name} failed: ${describeError(error)}`);
  };
  try {
    const answer = call();
    if (isThenable(answer)) answer.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}

/** Emits an event; each listener is called, whatever the one before it throws. @internal */
export function emitEach(
  log: Log,
  emitter: EventEmitter,
  event: string,
  values: readonly unknown[],
): void {
  // A raw listener of `once` takes itself away when it is called.
  for (const listener of emitter.rawListeners(event)) {
    deliver(log, `'${event}'`, (): unknown => Reflect.apply(listener, emitter, values));
  }
}

/** Calls the callback that a note is for. @internal */
export function callStream(
  callbacks: StreamCallbackProvider,
  note: StreamNote,
  stream: StreamHandle,
): unknown {
  // One name picks both the callback and its report, which a switch of 16 like cases would repeat.
  const callback: unknown = Reflect.get(callbacks, note.name);
  if (typeof callback !== 'function') return undefined;
  const answer: unknown = Reflect.apply(callback, callbacks, [note.report, stream]);
  return answer;
}
