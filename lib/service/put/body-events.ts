import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a session is told of its connection. @internal */
export interface BodyActions {
  data(bytes: Uint8Array): void;
  /** The body has come whole. */
  end(): void;
  /** The body was cut off, or the producer has gone. */
  cut(): void;
}

/** Tells a session what happens to its body; gives what stops that. @internal */
export function followBody(
  request: IncomingMessage,
  response: ServerResponse,
  actions: BodyActions,
): () => void {
  const onData = (bytes: Uint8Array): void => {
    actions.data(bytes);
  };
  const onEnd = (): void => {
    actions.end();
  };
  const onCut = (): void => {
    if (!request.complete) actions.cut();
  };
  const onClose = (): void => {
    actions.cut();
  };
  request.on('data', onData);
  request.on('end', onEnd);
  request.on('close', onCut);
  response.on('close', onClose);
  return () => {
    request.removeListener('data', onData);
    request.removeListener('end', onEnd);
    request.removeListener('close', onCut);
    response.removeListener('close', onClose);
  };
}
