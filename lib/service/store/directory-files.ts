import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { NOT_COUNTED, type CounterState } from './counters.js';
import { decodeStream, encodeStream } from './codec.js';
import { TwinFile } from './twin-file.js';
import type { StreamRecord } from './types.js';

/* What stands beside the media files and is true where the index says otherwise; SPEC.md,
   "stream.json", is the same in words. */

/** What a directory of format 4 is, and which streams are its own. @internal */
export interface DirectoryState {
  readonly generation: string;
  readonly nextId: number;
  readonly streams: readonly number[];
}

/** `media/catalog.json`. @internal */
export class DirectoryFile {
  readonly #file: TwinFile;
  #state: DirectoryState | undefined;

  constructor(media: string) {
    this.#file = new TwinFile(join(media, 'catalog.json'));
  }

  /** Undefined where the directory is of an older format, or new. */
  get state(): DirectoryState | undefined {
    return this.#state;
  }

  async load(): Promise<DirectoryState | undefined> {
    const value = await this.#file.load();
    this.#state = isDirectoryState(value) ? value : undefined;
    return this.#state;
  }

  async store(state: DirectoryState): Promise<void> {
    await this.#file.store({ format: 4, ...state });
    this.#state = state;
  }
}

/** A directory without streams. @internal */
export function newDirectory(): DirectoryState {
  return { generation: randomBytes(16).toString('hex'), nextId: 1, streams: [] };
}

function isDirectoryState(value: unknown): value is DirectoryState {
  return (
    typeof value === 'object' &&
    value !== null &&
    'generation' in value &&
    typeof value.generation === 'string' &&
    'nextId' in value &&
    typeof value.nextId === 'number' &&
    'streams' in value &&
    Array.isArray(value.streams)
  );
}

/** What a stream is, whatever becomes of the index. @internal */
export interface StreamState {
  readonly generation: string;
  readonly id: number;
  /** Undefined before it is made, and once it is deleted. */
  readonly record?: StreamRecord;
  /** Nothing of it is shown any more; what is left goes at the next start. */
  readonly deleted?: boolean;
  /** Its data key, wrapped; base64. */
  readonly dataKey?: string;
  /** First sequence number that was never reserved. */
  readonly reserved: number;
  /** Fragments of lower numbers have expired. Decimal. */
  readonly lowMark: string;
  /** Highest number that a segment of it ever had. */
  readonly segments: number;
  /** How far it was counted when its newest fragments expired. */
  readonly counters: CounterState;
}

/** `media/ID/stream.json`: one writing at a time. @internal */
export class StreamFile {
  readonly #file: TwinFile;
  #state: StreamState;

  constructor(media: string, state: StreamState) {
    this.#file = new TwinFile(join(media, String(state.id), 'stream.json'));
    this.#state = state;
  }

  /** The stream of a directory; undefined where it says nothing, or something else. */
  static async load(media: string, id: number): Promise<StreamFile | undefined> {
    const file = new TwinFile(join(media, String(id), 'stream.json'));
    const value = await file.load();
    if (!isStreamState(value) || value.id !== id) return undefined;
    const stream = new StreamFile(media, value);
    await stream.#file.load();
    return stream;
  }

  get state(): StreamState {
    return this.#state;
  }

  /** A segment number that the stream never had; it is kept with the next change. */
  nextSegment(atLeast: number): number {
    const segments = Math.max(atLeast, this.#state.segments + 1);
    this.#state = { ...this.#state, segments };
    return segments;
  }

  /** As `change`, with nothing left of what was. */
  async replace(state: StreamState): Promise<void> {
    await this.#file.store({ format: 4, ...state });
    this.#state = state;
  }

  /** Durable when it resolves; where it rejects, nothing was changed. */
  async change(change: Partial<StreamState>): Promise<void> {
    const next = { ...this.#state, ...change };
    const record = next.record && decodeStream(encodeStream(next.record));
    await this.#file.store({ format: 4, ...next, ...(record && { record }) });
    this.#state = { ...next, segments: Math.max(next.segments, this.#state.segments) };
  }
}

/** A stream that has nothing yet. @internal */
export function newStream(generation: string, id: number): StreamState {
  const counters = NOT_COUNTED;
  return { generation, id, reserved: 1, lowMark: '0', segments: 0, counters };
}

function isStreamState(value: unknown): value is StreamState {
  return (
    typeof value === 'object' &&
    value !== null &&
    'generation' in value &&
    typeof value.generation === 'string' &&
    'id' in value &&
    typeof value.id === 'number' &&
    'reserved' in value &&
    typeof value.reserved === 'number' &&
    'lowMark' in value &&
    typeof value.lowMark === 'string' &&
    /^\d{1,49}$/.test(value.lowMark) &&
    'segments' in value &&
    typeof value.segments === 'number' &&
    'counters' in value &&
    typeof value.counters === 'object'
  );
}
