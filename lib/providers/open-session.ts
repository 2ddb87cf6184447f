import {
  resultOfError,
  type PutMediaIo,
  type PutMediaRequest,
  type PutMediaSession,
  type PutMediaTransport,
} from '../transport/index.js';

/** Opens a session once its request is known; until then it can be aborted already. @internal */
export function openWhenKnown(
  transport: PutMediaTransport,
  request: Promise<PutMediaRequest>,
  io: PutMediaIo,
): PutMediaSession {
  let session: PutMediaSession | undefined;
  let aborted = false;
  request.then(
    (known) => {
      if (!aborted) session = transport.open(known, io);
    },
    (error: unknown) => {
      const cause = error instanceof Error ? error : new Error(String(error));
      if (!aborted) io.onEnd(resultOfError(cause), cause);
    },
  );
  return {
    wake: () => session?.wake(),
    abort: () => {
      aborted = true;
      session?.abort();
    },
  };
}
