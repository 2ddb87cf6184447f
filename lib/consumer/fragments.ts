import { isBytes } from '../base/values.js';
import { KvsError } from '../base/errors.js';
import { Connection, sendOptions, type StreamConnection } from './connection.js';
import { callFailed } from './failures.js';
import { inOrder } from './documents.js';
import { payloadStream } from './payload.js';

/** One stored fragment. */
export interface FragmentInfo {
  readonly fragmentNumber: string;
  /** Bytes. */
  readonly size: number;
  /** When the producer began it, ms since 1970. */
  readonly producerTimestampMs: number;
  /** When the service had it, ms since 1970. */
  readonly serverTimestampMs: number;
  readonly durationMs: number;
}

/** A range of a stream's stored fragments. */
export interface FragmentRange {
  /** Which of the two times the range means; default `producer`. */
  readonly timestamps?: 'producer' | 'server';
  /** ms since 1970. */
  readonly from: number;
  /** ms since 1970. */
  readonly to: number;
}

/** Settings of `listFragments`. */
export interface ListFragmentsOptions extends StreamConnection {
  /** Only fragments whose time lies in this range; all of the stream when left out. */
  readonly range?: FragmentRange;
  /** Fragments asked for in one call, 1 to 1000; default 1000. */
  readonly pageSize?: number;
  readonly signal?: AbortSignal;
}

const PAGE = 1000;

/** All stored fragments of a range, page by page. Throws `KvsError` when the service refuses. */
export async function* listFragments(
  options: ListFragmentsOptions,
): AsyncGenerator<FragmentInfo, void, undefined> {
  const connection = new Connection(options);
  const { signal, range, pageSize = PAGE } = options;
  const { sdk, client } = await connection.archived('LIST_FRAGMENTS', signal);
  const query = {
    ...connection.key,
    MaxResults: pageSize,
    ...(range !== undefined && {
      FragmentSelector: {
        FragmentSelectorType:
          range.timestamps === 'server'
            ? ('SERVER_TIMESTAMP' as const)
            : ('PRODUCER_TIMESTAMP' as const),
        TimestampRange: {
          StartTimestamp: new Date(range.from),
          EndTimestamp: new Date(range.to),
        },
      },
    }),
  };
  try {
    let token: string | undefined;
    do {
      const next = token === undefined ? {} : { NextToken: token };
      const command = new sdk.ListFragmentsCommand({ ...query, ...next });
      const page = await client.send(command, sendOptions(signal));
      for (const fragment of page.Fragments ?? []) yield infoOf(fragment);
      token = page.NextToken;
    } while (token !== undefined);
  } catch (error) {
    throw callFailed('ListFragments', connection.name, error, signal);
  } finally {
    client.destroy();
  }
}

interface SdkFragment {
  readonly FragmentNumber?: string | undefined;
  readonly FragmentSizeInBytes?: number | undefined;
  readonly ProducerTimestamp?: Date | undefined;
  readonly ServerTimestamp?: Date | undefined;
  readonly FragmentLengthInMilliseconds?: number | undefined;
}

function infoOf(fragment: SdkFragment): FragmentInfo {
  return {
    fragmentNumber: fragment.FragmentNumber ?? '',
    size: fragment.FragmentSizeInBytes ?? 0,
    producerTimestampMs: fragment.ProducerTimestamp?.getTime() ?? 0,
    serverTimestampMs: fragment.ServerTimestamp?.getTime() ?? 0,
    durationMs: fragment.FragmentLengthInMilliseconds ?? 0,
  };
}

/** Settings of `getMediaForFragments`. */
export interface GetMediaForFragmentsOptions extends StreamConnection {
  /** Fragment numbers, in the order in which their media is wanted. */
  readonly fragments: Iterable<string>;
  /** Calls that run at the same time; default 4 (the service takes 5 for each stream). */
  readonly workers?: number;
  /** Fragments asked for in one call; default 4. At most `workers` calls' media is held. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
}

const WORKERS = 4;
const BATCH = 4;
const ATTEMPTS = 4;

/**
 * The media of stored fragments, fetched by parallel workers, given in the order asked for as
 * Matroska bytes for `readFrames`, `mergeSegments` or a file. A call that is cut off is made again
 * before anything of it is given. A fragment that is gone
 * comes as an in-band error. Throws `KvsError` when the service refuses.
 */
export async function* getMediaForFragments(
  options: GetMediaForFragmentsOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const connection = new Connection(options);
  const stop = new AbortController();
  const signal =
    options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const batches = batchesOf(options.fragments, options.batchSize ?? BATCH);
  const running: Promise<readonly Uint8Array[]>[] = [];
  const startNext = (): void => {
    const { done, value } = batches.next();
    if (done === true) return;
    const fetched = fetchBatch(connection, value, signal);
    fetched.catch(() => undefined);
    running.push(fetched);
  };
  try {
    for (let i = 0; i < (options.workers ?? WORKERS); i += 1) startNext();
    for (let first = running.shift(); first !== undefined; first = running.shift()) {
      const chunks = await first;
      startNext();
      yield* chunks;
    }
  } finally {
    stop.abort();
  }
}

function* batchesOf(
  fragments: Iterable<string>,
  size: number,
): Generator<readonly string[], void, undefined> {
  let batch: string[] = [];
  for (const fragment of fragments) {
    batch.push(fragment);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

async function fetchBatch(
  connection: Connection,
  fragments: readonly string[],
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetchOnce(connection, fragments, signal);
    } catch (error) {
      const failure = callFailed('GetMediaForFragmentList', connection.name, error, signal);
      const again = failure instanceof KvsError && failure.retryable && attempt < ATTEMPTS;
      if (!again) throw failure;
    }
  }
}

async function fetchOnce(
  connection: Connection,
  fragments: readonly string[],
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const { sdk, client } = await connection.archived('GET_MEDIA_FOR_FRAGMENT_LIST', signal);
  try {
    const input = { ...connection.key, Fragments: [...fragments] };
    const command = new sdk.GetMediaForFragmentListCommand(input);
    const answer = await client.send(command, sendOptions(signal));
    const chunks: Uint8Array[] = [];
    for await (const chunk of payloadStream(answer.Payload, 'GetMediaForFragmentList')) {
      if (isBytes(chunk)) chunks.push(chunk);
    }
    return inOrder(chunks, fragments);
  } finally {
    client.destroy();
  }
}
