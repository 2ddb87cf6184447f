import { NAL_ADAPTATION } from '../base/media.js';
import { type MediaEvent, readMedia } from '../parser/index.js';
import { annexBToLengthPrefixed } from '../sources/annexb.js';
import { describeDifference, expectedFrame, type ExpectedFrame } from './compare.js';
import { recordingFrames, type Recording } from './demo-upload.js';
import { getMedia, type ServiceTarget } from './get-media.js';
import { StallGuard } from './stall-guard.js';

/** How long the service may send nothing while something is missing. */
const STALL_MS = 10_000;
/** The producer's time code scale of the demo: its default. */
const TIMECODE_SCALE_MS = 1;

/** What reading back found. */
export interface VerifyResult {
  /** Frames that came back as they were sent. */
  readonly framesEqual: number;
  readonly seconds: number;
  /** The first difference, in words that name the frame. */
  readonly difference?: string;
}

/**
 * Reads a stream from its beginning until every one of `fragments` has come back, and compares it
 * with `recording` frame by frame, up to the first difference.
 */
export async function verify(
  target: ServiceTarget,
  streamName: string,
  recording: Recording,
  fragments: ReadonlySet<string>,
  onProgress: (frames: number) => void,
  outer: AbortSignal | undefined,
): Promise<VerifyResult> {
  const guard = new StallGuard('reading the stream back', STALL_MS, outer);
  const startedAt = performance.now();
  const returned = readMedia(getMedia(target, streamName, guard.signal), { lend: true });
  const comparison = new Comparison(expectedFrames(recording, guard.signal), fragments);
  try {
    while (!comparison.done) {
      await comparison.take(await nextEvent(returned, guard, outer));
      guard.progress();
      onProgress(comparison.framesEqual);
    }
  } finally {
    guard.close();
    await comparison.close();
    await returned.return(undefined).catch(() => undefined);
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const { framesEqual, difference } = comparison;
  return { framesEqual, seconds, ...(difference !== undefined && { difference }) };
}

/** The next event; `undefined` when the service ends or sends nothing more. */
async function nextEvent(
  returned: AsyncGenerator<MediaEvent, void, undefined>,
  guard: StallGuard,
  outer: AbortSignal | undefined,
): Promise<MediaEvent | undefined> {
  try {
    const step = await guard.waitFor(returned.next());
    return step.done === true ? undefined : step.value;
  } catch (error) {
    // Silence is a finding, and the comparison words it; an interruption or a refusal is an error.
    if (guard.signal.aborted && outer?.aborted !== true) return undefined;
    throw error;
  }
}

/** Holds what comes back against what was sent. */
class Comparison {
  readonly #sent: AsyncGenerator<ExpectedFrame, void, undefined>;
  readonly #missing: Set<string>;
  framesEqual = 0;
  difference: string | undefined;

  constructor(
    sent: AsyncGenerator<ExpectedFrame, void, undefined>,
    fragments: ReadonlySet<string>,
  ) {
    this.#sent = sent;
    this.#missing = new Set(fragments);
  }

  get done(): boolean {
    return this.difference !== undefined || this.#missing.size === 0;
  }

  async take(event: MediaEvent | undefined): Promise<void> {
    if (event?.kind === 'fragmentEnd') {
      this.#missing.delete(event.fragment.fragmentNumber ?? '');
      if (this.#missing.size > 0) return;
      const sent = await this.#next();
      if (sent) this.difference = describeDifference(sent, undefined, TIMECODE_SCALE_MS);
      return;
    }
    if (event?.kind === 'error') throw event.error;
    const sent = await this.#next();
    if (sent !== undefined) {
      this.difference = describeDifference(sent, event, TIMECODE_SCALE_MS);
      if (this.difference === undefined) this.framesEqual += 1;
    } else if (event !== undefined) {
      this.difference = `frame ${this.framesEqual + 1} (track ${event.trackNumber}, ${event.timecodeMs} ms) came back but was never sent`;
    } else {
      this.difference = `${this.#missing.size} fragments that were persisted did not come back`;
    }
  }

  async close(): Promise<void> {
    await this.#sent.return(undefined);
  }

  async #next(): Promise<ExpectedFrame | undefined> {
    const step = await this.#sent.next();
    return step.done === true ? undefined : step.value;
  }
}

/** The frames as Matroska holds them: with lengths instead of start codes. */
async function* expectedFrames(
  recording: Recording,
  signal: AbortSignal,
): AsyncGenerator<ExpectedFrame, void, undefined> {
  const adapt = (recording.file.nalAdaptationFlags & NAL_ADAPTATION.ANNEXB_NALS) !== 0;
  let number = 0;
  for await (const frame of recordingFrames(recording, signal)) {
    number += 1;
    const data = adapt ? annexBToLengthPrefixed(frame.frameData) : frame.frameData;
    yield expectedFrame(number, frame, data);
  }
}
