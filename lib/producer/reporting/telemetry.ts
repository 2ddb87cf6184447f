import type { StreamMetrics } from '../../generated/metrics.js';

/** The part of OpenTelemetry's `MeterProvider` that is used. */
export interface MeterProvider {
  getMeter(name: string, version?: string): Meter;
}

/** The part of OpenTelemetry's `Meter` that is used. */
export interface Meter {
  createObservableGauge(name: string, options: InstrumentOptions): unknown;
  createObservableCounter(name: string, options: InstrumentOptions): unknown;
  addBatchObservableCallback(callback: BatchCallback, observables: unknown[]): void;
  removeBatchObservableCallback(callback: BatchCallback, observables: unknown[]): void;
}

/** Unit (UCUM) and meaning of an instrument. */
export interface InstrumentOptions {
  readonly unit: string;
  readonly description: string;
}

/** Asked by OpenTelemetry for the figures of the moment. */
export type BatchCallback = (result: {
  observe(instrument: unknown, value: number, attributes: Readonly<Record<string, string>>): void;
}) => void;

type Instrument = readonly [
  kind: 'gauge' | 'counter',
  name: string,
  unit: string,
  description: string,
  read: (metrics: StreamMetrics) => number,
];

const INSTRUMENTS: readonly Instrument[] = [
  ['gauge', 'backlog', 'ms', 'Media not acknowledged yet', (m) => m.overallViewDuration],
  ['gauge', 'backlog.size', 'By', 'Bytes not acknowledged yet', (m) => m.overallViewSize],
  ['gauge', 'since_persisted', 'ms', 'Time since the last ack that freed', (m) => m.sincePersisted],
  ['gauge', 'latency.persisted', 'ms', 'From sent to persisted', (m) => m.persistedLatency],
  ['counter', 'frames', '{frame}', 'Frames taken', (m) => m.totalFrames],
  ['counter', 'frames.dropped', '{frame}', 'Frames dropped', (m) => m.droppedFrames],
  ['counter', 'io', 'By', 'Bytes sent', (m) => m.transferredBytes],
  ['counter', 'sessions', '{session}', 'PutMedia sessions', (m) => m.totalSessions],
  ['counter', 'errors', '{error}', 'Errors reported', (m) => m.errors],
];

/** One stream's figures of the moment. @internal */
export interface StreamFigures {
  readonly stream: string;
  readonly metrics: StreamMetrics;
}

/**
 * Registers the streams' figures as `kinesis_video.stream.…` with the attribute `stream.name`.
 * Answers how to take them back. @internal
 */
export function registerMeter(
  provider: MeterProvider,
  version: string,
  figures: () => readonly StreamFigures[],
): () => void {
  const meter = provider.getMeter('kinesis-video', version);
  const made = INSTRUMENTS.map(([kind, name, unit, description]) => {
    const full = `kinesis_video.stream.${name}`;
    return kind === 'gauge'
      ? meter.createObservableGauge(full, { unit, description })
      : meter.createObservableCounter(full, { unit, description });
  });
  const callback: BatchCallback = (result) => {
    for (const { stream, metrics } of figures()) {
      for (const [i, [, , , , read]] of INSTRUMENTS.entries()) {
        result.observe(made[i], read(metrics), { 'stream.name': stream });
      }
    }
  };
  meter.addBatchObservableCallback(callback, made);
  return () => {
    meter.removeBatchObservableCallback(callback, made);
  };
}

/**
 * The provider that the host has set with `@opentelemetry/api`, which keeps it in this global; so it
 * is found without loading that package. @internal
 */
export function globalMeterProvider(): MeterProvider | undefined {
  const api: unknown = Reflect.get(globalThis, Symbol.for('opentelemetry.js.api.1'));
  if (typeof api !== 'object' || api === null || !('metrics' in api)) return undefined;
  return isMeterProvider(api.metrics) ? api.metrics : undefined;
}

function isMeterProvider(value: unknown): value is MeterProvider {
  if (typeof value !== 'object' || value === null || !('getMeter' in value)) return false;
  return typeof value.getMeter === 'function';
}
