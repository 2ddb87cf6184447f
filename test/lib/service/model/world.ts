/* A naive service: arrays in memory, searched from end to end. It says what each operation must
   answer, in as few words as possible, so that a reader sees that it is right. */

export const HOUR = 3_600_000;
const BUFFER = 300_000;

/** Limits of both sides, small enough to be met often. */
export const MODEL_LIMITS = {
  streamsPerAccount: 3,
  tagsPerStream: 4,
  fragmentTags: 3,
} as const;

/** A stored fragment; its frames are `time track content`. */
export interface ModelFragment {
  readonly number: bigint;
  readonly producerTime: number;
  readonly serverTime: number;
  readonly duration: number;
  readonly size: number;
  readonly frames: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  /** Whether players of HLS can be given it. */
  readonly playable: boolean;
}

export interface ModelStream {
  readonly name: string;
  readonly arn: string;
  readonly creationTime: number;
  hours: number;
  deviceName: string | undefined;
  mediaType: string | undefined;
  /** As DescribeStream last told it; undefined where it has changed since. */
  version: string | undefined;
  readonly tags: Map<string, string>;
  fragments: ModelFragment[];
  /** Sequence part of the last fragment number. */
  sequence: bigint;
}

export interface NewStream {
  readonly name: string;
  readonly hours: number;
  readonly deviceName: string | undefined;
  readonly mediaType: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

/** An answer that is an exception. */
export class Refusal extends Error {}

export class World {
  readonly streams: Map<string, ModelStream> = new Map<string, ModelStream>();
  /** The clock of both sides, ms since 1970. */
  wall: number = Date.UTC(2026, 0, 1);

  stream(name: string): ModelStream {
    const found = this.streams.get(name);
    if (found === undefined) throw new Refusal('ResourceNotFoundException');
    return found;
  }

  create({ name, hours, deviceName, mediaType, tags }: NewStream): string {
    if (Object.keys(tags).length > MODEL_LIMITS.tagsPerStream) {
      throw new Refusal('TagsPerResourceExceededLimitException');
    }
    if (this.streams.has(name)) throw new Refusal('ResourceInUseException');
    if (this.streams.size >= MODEL_LIMITS.streamsPerAccount) {
      throw new Refusal('AccountStreamLimitExceededException');
    }
    const creationTime = this.wall;
    const arn = `arn:aws:kinesisvideo:us-west-2:000000000000:stream/${name}/${String(creationTime)}`;
    this.streams.set(name, {
      ...{ name, arn, creationTime, hours, deviceName, mediaType, version: undefined },
      ...{ tags: new Map(Object.entries(tags)), fragments: [], sequence: 0n },
    });
    return arn;
  }

  tag(name: string, tags: Readonly<Record<string, string>>): void {
    const stream = this.stream(name);
    const keys = new Set([...stream.tags.keys(), ...Object.keys(tags)]);
    if (keys.size > MODEL_LIMITS.tagsPerStream) {
      throw new Refusal('TagsPerResourceExceededLimitException');
    }
    for (const [key, value] of Object.entries(tags)) stream.tags.set(key, value);
  }

  changeRetention(name: string, version: string, change: number): void {
    const stream = this.stream(name);
    if (version !== stream.version) throw new Refusal('VersionMismatchException');
    if (stream.hours + change < 0) throw new Refusal('InvalidArgumentException');
    stream.hours += change;
    stream.version = undefined;
    this.expire(stream);
  }

  /** Frees what is too old, from the oldest on, as long as the next one is too old as well. */
  expire(stream: ModelStream): void {
    const age = stream.hours > 0 ? stream.hours * HOUR : BUFFER;
    // With one that is too old all before it go, whatever their times say.
    const last = stream.fragments.findLastIndex(({ serverTime }) => serverTime < this.wall - age);
    stream.fragments.splice(0, last + 1);
  }

  /** The service was down: buffers are gone, and so is what has become too old. */
  restarted(): void {
    for (const stream of this.streams.values()) {
      if (stream.hours === 0) stream.fragments = [];
      this.expire(stream);
    }
  }
}

/** Which of its two times a fragment is looked for by. */
export type TimeName = 'producerTime' | 'serverTime';

/** The fragments within a range of time, both ends included, by time and then by number. */
export function within(
  fragments: readonly ModelFragment[],
  time: TimeName,
  from: number,
  to: number,
): ModelFragment[] {
  return fragments
    .filter((one) => one[time] >= from && one[time] <= to)
    .sort((a, b) => a[time] - b[time] || (a.number < b.number ? -1 : 1));
}

/** The fragments that GetMedia starts with: from the one that holds the time, or is next. */
export function startingAt(
  fragments: readonly ModelFragment[],
  time: TimeName,
  at: number,
): ModelFragment[] {
  const before = within(fragments, time, 0, at).at(-1);
  const holds = before !== undefined && at < before[time] + before.duration;
  const first = holds ? before : within(fragments, time, at, Infinity)[0];
  return first === undefined ? [] : fragments.filter((one) => one.number >= first.number);
}
