import { PutMediaRefusal, type PutMediaIo } from '../transport/index.js';

/**
 * `io`, and `learn` is told the service's clock where a session is refused: the signature may have
 * been made with a wrong one, and there may be no other call to learn it from. @internal
 */
export function watchingClock(io: PutMediaIo, learn: (serverTime: number) => void): PutMediaIo {
  return {
    read: (into) => io.read(into),
    ended: () => io.ended(),
    onOpen: () => {
      io.onOpen();
    },
    onAck: (bytes) => {
      io.onAck(bytes);
    },
    onEnd: (result, cause) => {
      if (cause instanceof PutMediaRefusal && cause.serverTime !== undefined) {
        learn(cause.serverTime);
      }
      io.onEnd(result, cause);
    },
  };
}
