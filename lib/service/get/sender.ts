import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { FrameCounter } from '../metrics/frames.js';
import type { StreamMeter } from '../metrics/meter.js';
import type { Pacer } from '../pacer.js';
import type { FragmentReader } from '../media/reader.js';
import { FragmentDamagedError } from '../store/types.js';
import type { FragmentRecord } from '../store/types.js';
import { tagsElement, type TagPairs } from './layout.js';

/** Fragments up to this size are verified in memory; larger ones are read twice. */
const HELD_BYTES = 1024 * 1024;

/** Node's timers take no more, ms. */
const MAX_TIMER = 2 ** 31 - 1;

/** An operation that gives media. @internal */
export type MediaReader = 'GetMedia' | 'GetMediaForFragmentList';

/** What a sender sends with; the reader is closed with it. @internal */
export interface SenderOptions {
  readonly reader: FragmentReader;
  readonly meter: StreamMeter;
  readonly operation: MediaReader;
  readonly response: ServerResponse;
  readonly pacer: Pacer;
  readonly signal: AbortSignal;
  /** How long a reader may take nothing before its connection is closed, ms. */
  readonly stall: number;
}

/**
 * Writes stored fragments to an answer as fast as the reader takes them, holding at most 1 MiB.
 * A fragment is verified to its last byte before its first one is sent. @internal
 */
export class FragmentSender {
  readonly #options: SenderOptions;
  readonly #reader: FragmentReader;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#reader = options.reader;
  }

  /**
   * Sends header, the producer's tags, the service's tags, Cluster. Throws `FragmentDamagedError`
   * before anything is sent, or the signal's reason when the reader has gone.
   */
  async fragment(record: FragmentRecord, tags: TagPairs): Promise<void> {
    const { meter, operation } = this.#options;
    const frames = new FrameCounter();
    try {
      await this.#send(record, tags, frames);
    } catch (error) {
      meter.add(`${operation}.Success`, 0);
      throw error;
    }
    meter.add(`${operation}.Success`, 1);
    meter.add(`${operation}.OutgoingFragments`);
    meter.add(`${operation}.OutgoingFrames`, frames.frames);
  }

  async #send(record: FragmentRecord, tags: TagPairs, frames: FrameCounter): Promise<void> {
    const header = await this.#reader.header(record);
    const own = await this.#reader.tags(record);
    const held = await this.#verify(record);
    await this.#write(Buffer.concat([header, own, tagsElement(tags)]));
    for await (const piece of held ?? this.#reader.pieces(record)) {
      frames.push(piece);
      await this.#write(piece);
    }
  }

  get meter(): StreamMeter {
    return this.#options.meter;
  }

  async tags(pairs: TagPairs): Promise<void> {
    await this.#write(tagsElement(pairs));
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  /** The pieces of a small fragment; nothing for a large one, of which all pieces were good. */
  async #verify(record: FragmentRecord): Promise<Uint8Array[] | undefined> {
    const held: Uint8Array[] = [];
    const small = record.clusterBytes <= HELD_BYTES;
    for await (const piece of this.#reader.pieces(record)) {
      if (small) held.push(piece);
      this.#options.signal.throwIfAborted();
    }
    return small ? held : undefined;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    const { response, pacer, signal, meter, operation } = this.#options;
    signal.throwIfAborted();
    meter.add(`${operation}.OutgoingBytes`, bytes.length);
    if (!response.write(bytes)) await drained(response, signal, this.#options.stall);
    const wait = pacer.spend(bytes.length);
    if (wait > 0) await sleep(wait, undefined, { signal });
  }
}

/** Whether an error is a stored fragment's damage. @internal */
export function isDamage(error: unknown): error is FragmentDamagedError {
  return error instanceof FragmentDamagedError;
}

/** Resolves when the reader has taken what was sent; one that takes nothing loses its connection. */
async function drained(
  response: ServerResponse,
  signal: AbortSignal,
  stall: number,
): Promise<void> {
  if (!response.writableNeedDrain || response.destroyed) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => response.destroy(), Math.min(stall, MAX_TIMER));
    const done = (): void => {
      clearTimeout(timer);
      response.removeListener('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.on('drain', done);
    signal.addEventListener('abort', done);
  });
}
