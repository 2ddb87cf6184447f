import { asError } from '../base/values.js';
import {
  resultOfError,
  type PutMediaIo,
  type PutMediaRequest,
  type PutMediaSession,
  type PutMediaTransport,
} from '../transport/index.js';
import { checkSession } from '../transport/check-session.js';

/** Opens a session once its request is known; until then it can be aborted already. @internal */
export function openWhenKnown(
  transport: PutMediaTransport,
  request: Promise<PutMediaRequest>,
  io: PutMediaIo,
): PutMediaSession {
  let session: PutMediaSession | undefined;
  let aborted = false;
  const open = (known: PutMediaRequest): void => {
    if (!aborted) session = checkSession(transport.open(known, io), 'the transport');
  };
  // A transport of the user's own may throw as well.
  request.then(open).catch((error: unknown) => {
    const cause = asError(error);
    if (!aborted) io.onEnd(resultOfError(cause), cause);
  });
  return {
    wake: () => session?.wake(),
    more: () => session?.more?.(),
    abort: () => {
      aborted = true;
      session?.abort();
    },
  };
}
