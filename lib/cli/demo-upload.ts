import { once } from 'node:events';
import type { Frame } from '../base/media.js';
import { type KinesisVideoStream, KinesisVideoProducer } from '../producer/index.js';
import type { MediaFile } from '../sources/index.js';
import type { ServiceTarget } from './get-media.js';
import { StallGuard } from './stall-guard.js';

const HOUR_MS = 3_600_000;
/** How long the upload may stand still before it is given up. */
const STALL_MS = 30_000;

/** A media file as a stream's worth of frames: several passes, one behind the other. */
export interface Recording {
  readonly file: MediaFile;
  /** Time of the file's time 0 in the first pass, ms since 1970. */
  readonly startMs: number;
  readonly passes: number;
}

/** How far an upload has come. */
export interface UploadProgress {
  readonly frames: number;
  readonly fragments: number;
  readonly bytes: number;
  /** Part of the recording that is persisted, by media time. */
  readonly persistedPart: number;
}

/** What an upload took. */
export interface UploadResult {
  readonly frames: number;
  readonly bytes: number;
  /** Number of every fragment that was persisted. */
  readonly fragments: ReadonlySet<string>;
  /** From the first frame put to the last Persisted ack. */
  readonly seconds: number;
  /** From the first frame put to the first Persisted ack. */
  readonly firstPersistedMs: number;
}

/** The frames of all passes with their times since 1970. */
export async function* recordingFrames(
  recording: Recording,
  signal: AbortSignal,
): AsyncGenerator<Frame, void, undefined> {
  for (let pass = 0; pass < recording.passes; pass += 1) {
    const timeOffsetMs = recording.startMs + pass * recording.file.durationMs;
    yield* recording.file.frames({ timeOffsetMs, signal });
  }
}

/** Streams a recording as fast as acks allow and returns when its last fragment is persisted. */
export async function upload(
  target: ServiceTarget,
  streamName: string,
  recording: Recording,
  onProgress: (progress: UploadProgress) => void,
  outer: AbortSignal | undefined,
): Promise<UploadResult> {
  const guard = new StallGuard('waiting for acks of the service', STALL_MS, outer);
  const meter = new Meter(recording, (progress) => {
    guard.progress();
    onProgress(progress);
  });
  const { endpoint, region, credentials } = target;
  const producer = await KinesisVideoProducer.create({
    endpoint,
    region,
    credentials,
    limits: 'off',
  });
  try {
    const stream = await producer.createStream({
      streamName,
      tracks: recording.file.tracks,
      contentType: recording.file.contentType,
      nalAdaptationFlags: recording.file.nalAdaptationFlags,
      retentionPeriod: HOUR_MS,
      absoluteFragmentTimes: true,
      callbacks: { fragmentAckReceived: (ack) => meter.ack(ack) },
    });
    await putAll(stream, recording, meter, guard);
    await guard.waitFor(stream.stop());
    await producer.close();
    return meter.result();
  } catch (error) {
    // What is buffered is of no use any more, and its loss would hide why the upload ended.
    await producer.close({ timeoutMs: 1 }).catch(() => undefined);
    throw error;
  } finally {
    guard.close();
  }
}

async function putAll(
  stream: KinesisVideoStream,
  recording: Recording,
  meter: Meter,
  guard: StallGuard,
): Promise<void> {
  for await (const frame of recordingFrames(recording, guard.signal)) {
    meter.put(frame);
    if (!stream.write(frame)) await guard.waitFor(once(stream, 'drain'));
  }
}

/** Counts what goes out and what is acknowledged. */
class Meter {
  readonly #recording: Recording;
  readonly #report: (progress: UploadProgress) => void;
  readonly #fragments = new Set<string>();
  #frames = 0;
  #bytes = 0;
  #persistedToMs = 0;
  #startedAt = 0;
  #firstPersistedAt = 0;
  #lastPersistedAt = 0;

  constructor(recording: Recording, report: (progress: UploadProgress) => void) {
    this.#recording = recording;
    this.#report = report;
  }

  put(frame: Frame): void {
    if (this.#frames === 0) this.#startedAt = performance.now();
    this.#frames += 1;
    this.#bytes += frame.frameData.length;
    this.#tell();
  }

  ack(ack: {
    readonly type: string;
    readonly timecode: number;
    readonly fragmentNumber: string;
  }): void {
    if (ack.type !== 'PERSISTED') return;
    this.#lastPersistedAt = performance.now();
    if (this.#fragments.size === 0) this.#firstPersistedAt = this.#lastPersistedAt;
    this.#fragments.add(ack.fragmentNumber);
    this.#persistedToMs = Math.max(this.#persistedToMs, ack.timecode);
    this.#tell();
  }

  result(): UploadResult {
    return {
      frames: this.#frames,
      bytes: this.#bytes,
      fragments: this.#fragments,
      seconds: (this.#lastPersistedAt - this.#startedAt) / 1000,
      firstPersistedMs: this.#firstPersistedAt - this.#startedAt,
    };
  }

  #tell(): void {
    const { file, passes, startMs } = this.#recording;
    const done = this.#persistedToMs - startMs;
    this.#report({
      frames: this.#frames,
      fragments: this.#fragments.size,
      bytes: this.#bytes,
      persistedPart: done / Math.max(1, passes * file.durationMs),
    });
  }
}
