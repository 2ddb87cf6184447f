import { FRAME_FLAG, flagsOf, type Frame } from '../../base/media.js';
import type { KvsError } from '../../base/errors.js';
import { packedStatus, type NativeStream } from '../../native/index.js';
import type { Core } from '../session/core.js';
import type { StreamLink } from '../session/link.js';
import { PreRoll } from './pre-roll.js';
import { frameMalformed, frameRefused, frameShut } from './refusal.js';
import { Room } from './room.js';

/** Times that are farther from the clock are told of, ms: two years. */
const YEARS_MS = 2 * 365 * 86_400_000;

/** What a gate is made from. @internal */
export interface GateParts {
  readonly core: Core;
  readonly link: StreamLink;
  /** Bytes of storage that are the stream's share. */
  readonly share: () => number;
  /** Told when there is room again. */
  readonly onRoom: () => void;
}

/** The way of frames into the core: paused or open, with room or above the mark. @internal */
export class FrameGate {
  readonly #core: Core;
  readonly #link: StreamLink;
  readonly #native: NativeStream;
  readonly #share: () => number;
  readonly #room: Room;
  /** Whether it was told that times are far from the clock, or nothing is to be told. */
  #timeTold: boolean;
  #preRoll: PreRoll | undefined;
  /** Of a pause that is over: frames are missing, and nothing goes on before one that begins. */
  #gap: PreRoll | undefined;

  constructor(parts: GateParts) {
    const { core, link, share } = parts;
    this.#core = core;
    this.#link = link;
    this.#native = link.native;
    this.#share = share;
    const { absoluteFragmentTimes, frameTimecodes } = link.definition.info;
    this.#timeTold = !absoluteFragmentTimes || !frameTimecodes;
    const { bufferDuration } = link.definition.info;
    const { clock } = core;
    const metrics = (): ReturnType<NativeStream['metrics']> =>
      link.native.metrics(clock.mono(), clock.wall());
    this.#room = new Room({ metrics, share, bufferDuration }, parts.onRoom);
  }

  /**
   * Whether there is room for more after this frame. `held`: it was written before the stream was told
   * to stop. Throws `KvsError` when it is refused.
   */
  put(frame: Frame, held = false): boolean {
    const { life, name, session } = this.#link;
    let packed;
    if (!life.running && !held) throw this.#shut(frame);
    try {
      if (this.#keepsBack(frame)) return true;
      const { clock } = this.#core;
      const wall = clock.wall();
      if (!this.#timeTold && Math.abs(frame.presentationTs - wall) > YEARS_MS) {
        this.#warnOfTime(frame, wall);
      }
      packed = this.#native.put(
        frame.frameData,
        flagsOf(frame),
        frame.trackId ?? 1,
        frame.decodingTs ?? NaN,
        frame.presentationTs,
        frame.duration ?? 0,
        clock.mono(),
        wall,
      );
    } catch (cause) {
      throw frameMalformed(name, frame, cause);
    }
    if ((packed & 3) !== 0) this.#core.schedule();
    if (packed > 3) throw this.#refused(packed, frame);
    if (((frame.flags ?? 0) & FRAME_FLAG.END_OF_FRAGMENT) !== 0) session?.wake();
    else session?.more();
    return this.#room.took(frame.frameData.length, frame.presentationTs);
  }

  /** Something may have been freed. */
  freed(): void {
    if (!this.#link.life.freed) this.#room.freed();
  }

  /** A frame found no room: `onRoom` is to tell when there is some. */
  full(): void {
    this.#room.full();
  }

  get paused(): boolean {
    return this.#preRoll !== undefined;
  }

  pause(preRollMs: number): void {
    const { tracks } = this.#link.definition.info;
    if (this.#preRoll === undefined) {
      this.#preRoll = new PreRoll(preRollMs, this.#share() / 2, tracks);
    } else this.#preRoll.keep(preRollMs);
  }

  /** Opens the gate and hands out what was kept while it was closed. */
  resume(): readonly Frame[] {
    const preRoll = this.#preRoll;
    this.#preRoll = undefined;
    if (preRoll === undefined) return [];
    const kept = preRoll.take();
    if (preRoll.misses) this.#gap = preRoll;
    else if (kept.length > 0) this.#gap = undefined;
    return kept;
  }

  /** Whether the frame is not to be put now: kept for later, or passed over. */
  #keepsBack(frame: Frame): boolean {
    if (this.#preRoll !== undefined) {
      this.#preRoll.add(frame);
      return true;
    }
    if (this.#gap === undefined) return false;
    if (!this.#gap.begins(frame)) return true;
    this.#gap = undefined;
    return false;
  }

  /** A time that lies years from the clock is most often of another unit: told once. */
  #warnOfTime(frame: Frame, wall: number): void {
    const { name, definition } = this.#link;
    this.#timeTold = true;
    const unit = unitOf(frame.presentationTs, wall);
    const old = frame.presentationTs < wall && definition.info.retention > 0;
    this.#core.log.notice(
      `times ${name}`,
      `stream '${name}': presentationTs ${frame.presentationTs} ms is ` +
        `${dateOf(frame.presentationTs)}, and the clock says ${dateOf(wall)}; ` +
        'times are milliseconds since 1970' +
        (unit === undefined ? '' : `, and this one looks like ${unit}`) +
        (old ? '; what is older than the retention is soon gone' : ''),
    );
  }

  /** The stream takes no frames, whatever they are. */
  #shut(frame: Frame): KvsError {
    const { name: stream, life } = this.#link;
    const status = life.freed ? 'STATUS_INVALID_OPERATION' : 'STATUS_STREAM_HAS_BEEN_STOPPED';
    const error = frameShut(status, stream, frame);
    this.#core.diagnostics.refused({ stream, frame, error });
    return error;
  }

  #refused(packed: number, frame: Frame): KvsError {
    const { name: stream, definition } = this.#link;
    const trackIds = definition.info.tracks.map((track) => track.trackId);
    const refusal = this.#native.lastRefusal();
    const error = frameRefused(packedStatus(packed), { stream, frame, trackIds, refusal });
    this.#core.diagnostics.refused({ stream, frame, error });
    return error;
  }
}

/** The unit in which a time would be near the clock. */
function unitOf(time: number, wall: number): string | undefined {
  const units = { seconds: 1e-3, microseconds: 1e3, nanoseconds: 1e6 };
  const fits = (factor: number): boolean => Math.abs(time / factor - wall) < YEARS_MS;
  return Object.entries(units).find(([, factor]) => fits(factor))?.[0];
}

function dateOf(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? 'no date' : date.toISOString();
}
