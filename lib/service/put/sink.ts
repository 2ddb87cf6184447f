import type { ServiceContext } from '../context.js';
import { AckError } from '../errors.js';
import type { Call } from '../http/front.js';
import { KeyError } from '../keys/key-error.js';
import { mayUseKey } from '../policy/authorize.js';
import { openWriter, type FragmentWriter } from '../media/writer.js';
import type { StreamRecord } from '../store/types.js';
import { checkRoom } from './room.js';

/** Where a session stores its fragments. @internal */
export interface FragmentSink {
  readonly writer: FragmentWriter;
  /** Throws `KeyError` when the stream's key may not be used any more. */
  readonly checkKey: () => void;
  /** Adds bytes of the open fragment. Throws `AckError` 5001 where they find no room. */
  readonly append: (part: Uint8Array) => void;
}

/** Opens a stream for writing under its key. Rejects with `KeyError` where that may not be used. @internal */
export async function openSink(
  context: ServiceContext,
  call: Call,
  record: StreamRecord,
): Promise<FragmentSink> {
  const { key, check } = await context.keys.toWrite(record, mayUseKey(call, record));
  const { store } = context;
  const writer = await openWriter(store, record.id, key);
  const append = (part: Uint8Array): void => {
    checkRoom(store.media, writer.growth(part.length));
    writer.append(part);
  };
  return { writer, checkKey: check, append };
}

/** An error that the producer is told by its own id. @internal */
export type ToldError = AckError | KeyError;

/** Whether an error is one that the producer is told by its own id. @internal */
export function isTold(error: unknown): error is ToldError {
  return error instanceof AckError || error instanceof KeyError;
}
