import { StreamingMkvReader } from '../../parser/index.js';
import { TrackCollector, type MkvTrack } from '../../parser/tracks.js';

const VIDEO = 1;

/** What an MKV header says to a player. @internal */
export interface HeaderFacts {
  /** Number of the first video track. */
  readonly video: number | undefined;
  /** Codecs, private data and shape of all tracks: equal for headers that a player need not tell apart. */
  readonly configuration: Uint8Array;
}

/** Reads what matters of a header; one that cannot be read has no tracks. @internal */
export function describeHeader(header: Uint8Array): HeaderFacts {
  const tracks = tracksOf(header);
  const parts = tracks.map((track) => {
    const { number, type, codecId, pixelWidth, pixelHeight, samplingFrequency, channels } = track;
    const shape = [number, type, codecId, pixelWidth, pixelHeight, samplingFrequency, channels];
    const { codecPrivate = new Uint8Array() } = track;
    const text = `${JSON.stringify(shape.map((value) => value ?? null))} ${String(codecPrivate.length)}\n`;
    return Buffer.concat([Buffer.from(text), codecPrivate]);
  });
  const video = tracks.find(({ type }) => type === VIDEO)?.number;
  return { video, configuration: Buffer.concat(parts) };
}

function tracksOf(header: Uint8Array): readonly MkvTrack[] {
  const reader = new StreamingMkvReader();
  const collector = new TrackCollector();
  try {
    reader.push(header);
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      collector.visit(event);
    }
  } catch {
    return [];
  }
  return [...collector.tracks.values()].sort((a, b) => a.number - b.number);
}
