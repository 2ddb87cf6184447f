import type { Socket } from 'node:net';
import { isError } from '../base/values.js';

type Done = (error?: Error | null) => void;

/** How long the end of what was received is waited for; it is there already, or never comes, ms. */
const LAST_WORDS_MS = 1000;

/**
 * Makes a socket hand over what it has received before a write that failed closes it. A service that
 * refuses a call and hangs up while the body still comes has said why: its answer waits in the
 * socket, and the next write finds the connection reset before the answer is read. @internal
 */
export function readLastWords(socket: Socket): void {
  if (Object.hasOwn(socket, '_write')) return; // an agent gave it before
  const write = socket._write.bind(socket);
  const writev = socket._writev?.bind(socket);
  socket._write = (chunk, encoding, done) => {
    write(chunk, encoding, unhurried(socket, done));
  };
  if (writev === undefined) return;
  socket._writev = (chunks, done) => {
    writev(chunks, unhurried(socket, done));
  };
}

/** `done`, which is told of an error only when there is no more to read. */
function unhurried(socket: Socket, done: Done): Done {
  return (error) => {
    if (!isError(error) || socket.destroyed || socket.readableEnded) {
      done(error);
      return;
    }
    const tell = (): void => {
      clearTimeout(timer);
      socket.off('end', tell);
      socket.off('close', tell);
      done(error);
    };
    const timer = setTimeout(tell, LAST_WORDS_MS);
    socket.once('end', tell);
    socket.once('close', tell);
  };
}
