import { randomBytes } from 'node:crypto';
import type { ServiceContext } from '../context.js';
import { AckError } from '../errors.js';
import type { Call } from '../http/front.js';
import { KeyError } from '../keys/key-error.js';
import { mayUseKey } from '../policy/authorize.js';
import { openWriter, type FragmentWriter } from '../media/writer.js';
import type { Durability, FragmentDetail, FragmentMeta } from '../store/types.js';
import type { FragmentRecord, StreamRecord } from '../store/types.js';
import { describeHeader } from './configuration.js';
import type { WholeFragment } from './ingest.js';
import { checkRoom } from './room.js';

/** Where a session stores its fragments. @internal */
export interface FragmentSink {
  readonly writer: FragmentWriter;
  /** Throws `KeyError` when the stream's key may not be used any more. */
  readonly checkKey: () => void;
  /** Opens a fragment under an MKV header. Throws `AckError` 5001 where it finds no room. */
  readonly begin: (header: Uint8Array, number: bigint) => void;
  /** Adds bytes of the open fragment. Throws `AckError` 5001 where they find no room. */
  readonly append: (part: Uint8Array) => void;
  /** Ends the open fragment. Throws `AckError` 5001 where what stands behind it finds no room. */
  readonly commit: (
    meta: FragmentMeta,
    whole: WholeFragment,
    durability: Durability,
  ) => Promise<FragmentRecord>;
}

/** Bytes that name a session. */
const SESSION_BYTES = 8;

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
  const describe = new Describer(writer);
  return {
    ...{ writer, checkKey: check, append },
    begin: (header, number) => {
      checkRoom(store.media, writer.growthToBegin(header));
      describe.header(header);
      writer.begin(header, number);
    },
    commit: (meta, whole, durability) => {
      const { table } = whole.described;
      checkRoom(store.media, writer.growthAtEnd(whole.tags.length, table.length));
      const detail = describe.fragment(whole);
      return writer.commit(meta, whole.tags, durability, { table, detail });
    },
  };
}

/** Says what the fragments of one session are. */
class Describer {
  readonly #writer: FragmentWriter;
  readonly #session = randomBytes(SESSION_BYTES);
  #header: Uint8Array = new Uint8Array();
  #video: number | undefined;
  #configuration: Uint8Array = new Uint8Array();

  constructor(writer: FragmentWriter) {
    this.#writer = writer;
  }

  header(header: Uint8Array): void {
    if (header === this.#header) return;
    this.#header = header;
    const { video, configuration } = describeHeader(header);
    this.#video = video;
    this.#configuration = this.#writer.configuration(configuration);
  }

  fragment({ frames, described: { starts, reordered, laced } }: WholeFragment): FragmentDetail {
    const video = this.#video;
    return {
      ...{ frames, reordered, laced, cut: false },
      keyStart: video === undefined || starts.get(video) === true,
      configuration: this.#configuration,
      session: this.#session,
    };
  }
}

/** An error that the producer is told by its own id. @internal */
export type ToldError = AckError | KeyError;

/** Whether an error is one that the producer is told by its own id. @internal */
export function isTold(error: unknown): error is ToldError {
  return error instanceof AckError || error instanceof KeyError;
}
