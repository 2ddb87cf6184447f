import type { ClientNote, StreamNote } from './notes.js';

/** Takes log lines; `console` fits, and so do the usual loggers. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** How serious a line is. */
export type LogLevel = keyof Logger;

const REPEAT_MS = 1000;
/** So many kinds of lines are known at a time: those of a few hundred streams. */
const MOST_KINDS = 4096;
const LEVELS: Readonly<Partial<Record<(ClientNote | StreamNote)['name'], LogLevel>>> = {
  clientReady: 'info',
  clientErrorReport: 'warn',
  storageOverflowPressure: 'warn',
  streamStateChanged: 'info',
  streamReady: 'info',
  streamClosed: 'info',
  droppedFragmentReport: 'warn',
  droppedFrameReport: 'warn',
  skippedFramesReport: 'warn',
  streamErrorReport: 'warn',
  streamConnectionStale: 'warn',
  streamLatencyPressure: 'warn',
  bufferDurationOverflowPressure: 'warn',
  keyFrameMissingReport: 'warn',
  codecPrivateMissingReport: 'warn',
  fragmentCutReport: 'warn',
  timelineChanged: 'warn',
};
/** What is to be set where a report alone does not say it. */
const CURES: Readonly<Partial<Record<(ClientNote | StreamNote)['name'], string>>> = {
  keyFrameMissingReport:
    'no frame is flagged as a key frame, and nothing can be sent before one: set FRAME_FLAG.KEY_FRAME in ' +
    'the flags of every frame that can be decoded by itself',
  codecPrivateMissingReport:
    'no decoder can show the track: give its codecPrivateData (trackInfoList, or start()), ' +
    'or frames in Annex-B with their parameter sets and the nalAdaptationFlags that look for them',
  fragmentCutReport:
    'its second part begins without a key frame; ' +
    'set maxFragmentDuration up to 20 s or a shorter GOP on the camera',
};

/**
 * The producer's log: lines of the same kind, and about the same stream, come at most once a second,
 * and the next one says how many were left out. A logger that throws harms nothing. @internal
 */
export class Log {
  readonly #logger: Logger | undefined;
  readonly #mono: () => number;
  readonly #kinds = new Map<string, { last: number; left: number }>();
  #warned = false;

  constructor(logger: Logger | undefined, mono: () => number) {
    this.#logger = logger;
    this.#mono = mono;
  }

  /** Tells what a callback is told. */
  note(stream: string | undefined, note: ClientNote | StreamNote): void {
    if (this.#logger === undefined) return;
    const { name, report } = note;
    const whose = stream === undefined ? '' : `stream '${stream}': `;
    // A stream goes through several states in a moment, each of which is worth its line.
    const kind = note.name === 'streamStateChanged' ? `${name} ${note.report.to}` : name;
    const cure = CURES[name];
    const more = cure === undefined ? '' : `; ${cure}`;
    const text = `${whose}${name} ${JSON.stringify(report, withoutCause)}${more}`;
    this.write(LEVELS[name] ?? 'debug', `${kind} ${whose}`, text);
  }

  /**
   * Something has failed again and again, and nobody listens: where there is no logger either, Node is
   * asked, once, to tell it as a warning of the process.
   */
  unheard(text: string): void {
    if (this.#logger !== undefined || this.#warned) return;
    this.#warned = true;
    warn(`${text} (it is tried on; the option \`logger: console\` tells more)`);
  }

  /** A line that tells a mistake of the program: without a logger, a warning of the process. */
  notice(kind: string, message: string): void {
    if (this.#logger === undefined) warn(message);
    else this.write('warn', kind, message);
  }

  /** `kind` is what lines have in common that are alike. */
  write(level: LogLevel, kind: string, message: string): void {
    if (this.#logger === undefined) return;
    const now = this.#mono();
    const seen = this.#kinds.get(kind);
    if (seen !== undefined && now - seen.last < REPEAT_MS) {
      seen.left += 1;
      return;
    }
    const more = seen === undefined || seen.left === 0 ? '' : ` (${seen.left} more like this)`;
    this.#remember(kind, now);
    try {
      const answer: unknown = this.#logger[level](`kinesis-video: ${message}${more}`);
      if (isThenable(answer)) answer.then(undefined, () => undefined);
    } catch {
      // Nobody is left to tell.
    }
  }

  /** The newest kinds stand last. */
  #remember(kind: string, now: number): void {
    this.#kinds.delete(kind);
    this.#kinds.set(kind, { last: now, left: 0 });
    if (this.#kinds.size <= MOST_KINDS) return;
    const [oldest] = this.#kinds.keys();
    if (oldest !== undefined) this.#kinds.delete(oldest);
  }
}

/** The cause of a report is in its message. */
function withoutCause(key: string, value: unknown): unknown {
  return key === 'cause' ? undefined : value;
}

/** Whether a function of the user's answered what may be rejected. @internal */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (typeof value !== 'object' || value === null || !('then' in value)) return false;
  return typeof value.then === 'function';
}

function warn(text: string): void {
  process.emitWarning(text, { type: 'KinesisVideoWarning' });
}
