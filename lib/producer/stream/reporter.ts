import type { EventEmitter } from 'node:events';
import { KvsError } from '../../base/errors.js';
import { describeError } from '../../base/values.js';
import type { Frame } from '../../base/media.js';
import type { StreamMetrics } from '../../generated/metrics.js';
import type { StreamCallbackProvider, StreamHandle } from '../../providers/index.js';
import { callStream, deliver, emitEach } from '../reporting/deliver.js';
import { GapLedger } from '../reporting/gaps.js';
import { HealthWatch, worded, type Trouble } from '../reporting/health.js';
import type { StreamNote } from '../reporting/notes.js';
import type { Core } from '../session/core.js';
import type { StreamLink } from '../session/link.js';

/** What a reporter is made from. @internal */
export interface ReporterParts {
  readonly core: Core;
  readonly link: StreamLink;
  /** The stream itself. */
  readonly stream: StreamHandle & EventEmitter;
  /** Told each note, in this order, before the stream's listeners. */
  readonly callbacks: readonly StreamCallbackProvider[];
  /** Bytes of storage that are the stream's share. */
  readonly share: () => number;
  readonly metrics: () => StreamMetrics;
}

/** All that one stream tells: to its log, callbacks and listeners, its health and its gaps. @internal */
export class StreamReporter {
  readonly gaps: GapLedger = new GapLedger();
  readonly health: HealthWatch;
  readonly #parts: ReporterParts;
  /** The last failure that is tried on: what the core then reports has no words for it. */
  #trouble: Trouble | undefined;

  constructor(parts: ReporterParts) {
    const { core, link, share, metrics } = parts;
    this.#parts = parts;
    this.health = new HealthWatch({
      bufferDuration: link.definition.info.bufferDuration,
      share,
      metrics,
      wall: () => core.clock.wall(),
      changed: (health) => {
        this.emit('health', health);
      },
    });
    link.heard = () => this.#heard();
    link.onTrouble = (trouble) => {
      this.#trouble = trouble;
      if (!link.life.freed) this.health.trouble(trouble);
    };
  }

  /** Tells a note of the core. */
  note(given: StreamNote): void {
    const { core, link, stream, callbacks } = this.#parts;
    const note = worded(given, this.#trouble);
    core.log.note(link.name, note);
    this.gaps.note(note);
    core.diagnostics.note(link.name, note);
    for (const one of callbacks) {
      deliver(core.log, note.name, () => callStream(one, note, stream));
    }
    this.emit(note.name, note.report);
    if (note.name === 'streamErrorReport' && !this.#heard()) {
      const refused = `stream '${link.name}': the service refused a fragment: ${note.report.status}`;
      core.log.unheard(note.report.message ?? refused);
    }
    if (!link.life.freed) this.health.note(note);
  }

  /** Whether anybody has asked to be told what goes wrong. */
  #heard(): boolean {
    const { stream, callbacks } = this.#parts;
    const listeners = stream.listenerCount('streamErrorReport') + stream.listenerCount('health');
    return listeners > 0 || callbacks.some((one) => one.streamErrorReport !== undefined);
  }

  /** Tells of a frame that is refused, and whose sender gets no error. */
  refused(error: unknown, frame: Frame): void {
    const { core, link } = this.#parts;
    const status = error instanceof KvsError ? error.status : 'STATUS_INVALID_ARG';
    core.log.write('warn', `frameRefused ${status} ${link.name}`, describeError(error));
    if (!link.life.freed) this.health.refused(error);
    this.emit('frameRefused', error, frame);
  }

  /** Tells that what makes the stream's frames has failed. */
  sourceFailed(cause: unknown): void {
    const { core, link } = this.#parts;
    const message = `the media source of stream '${link.name}' failed: ${describeError(cause)}`;
    core.log.write('error', `mediaSourceFailed ${link.name}`, message);
    const status = 'STATUS_INVALID_OPERATION';
    if (!link.life.freed) this.health.trouble({ status, message, cause });
    this.emit('mediaSourceFailed', cause);
  }

  /** Calls each listener of an event. */
  emit(event: string, ...values: readonly unknown[]): void {
    emitEach(this.#parts.core.log, this.#parts.stream, event, values);
  }
}
