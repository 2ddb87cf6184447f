// Two media sources of one client: pictures from files, one a frame, over and over; and figures of
// this machine as a data stream.
//
//   npm run build
//   node build-examples/media-sources.js [--folder DIR] [--seconds N]
//
// DIR holds one H.264 access unit a file (Annex-B), in the order of their names; without it the files
// are made from the package's clip. The service is the one at AWS_ENDPOINT_URL_KINESIS_VIDEO, or one
// that is started for the while.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus, freemem, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  CallbackMediaSource,
  FRAME_FLAG,
  KinesisVideoClient,
  NAL_ADAPTATION,
  TRACK_TYPE,
  type Frame,
  type MediaSource,
  type MediaSourceSink,
  type StreamDefinition,
} from 'kinesis-video';
import { openMediaFile, sampleClip } from 'kinesis-video/sources';
import { openService } from './shared/service.js';

const CLIP = sampleClip();

/** Reads a folder of access units at a frame rate, and begins again at its end. */
class ImageFileMediaSource implements MediaSource {
  readonly #folder: string;
  readonly #fps: number;
  #files: readonly Uint8Array[] = [];
  #sink: MediaSourceSink | undefined;
  #timer: NodeJS.Timeout | undefined;
  #next = 0;
  #begin = 0;

  constructor(folder: string, fps: number) {
    this.#folder = folder;
    this.#fps = fps;
  }

  getStreamDefinition(): StreamDefinition {
    const { ANNEXB_NALS, ANNEXB_CPD_NALS } = NAL_ADAPTATION;
    return { frameRate: this.#fps, nalAdaptationFlags: ANNEXB_NALS | ANNEXB_CPD_NALS };
  }

  async initialize(sink: MediaSourceSink): Promise<void> {
    this.#sink = sink;
    const names = (await readdir(this.#folder)).sort();
    if (names.length === 0) throw new Error(`there are no files in ${this.#folder}`);
    this.#files = await Promise.all(names.map((name) => readFile(join(this.#folder, name))));
  }

  start(): void {
    this.#next = 0;
    this.#begin = Date.now();
    this.#timer = setInterval(() => {
      this.#putDue();
    }, 1000 / this.#fps);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  isStopped(): boolean {
    return this.#timer === undefined;
  }

  /** A timer comes late at times; time stamps do not. */
  #putDue(): void {
    const due = ((Date.now() - this.#begin) * this.#fps) / 1000;
    for (; this.#next <= due; this.#next += 1) {
      const frameData = this.#files[this.#next % this.#files.length];
      if (frameData === undefined) return;
      this.#sink?.onFrame({
        frameData,
        flags: isKeyFrame(frameData) ? FRAME_FLAG.KEY_FRAME : FRAME_FLAG.NONE,
        presentationTs: this.#begin + (this.#next * 1000) / this.#fps,
        duration: 1000 / this.#fps,
      });
    }
  }
}

/** Whether an access unit has an IDR slice (NAL unit type 5). */
function isKeyFrame(accessUnit: Uint8Array): boolean {
  const bytes = Buffer.from(accessUnit.buffer, accessUnit.byteOffset, accessUnit.byteLength);
  for (let at = bytes.indexOf('\0\0\x01'); at >= 0; at = bytes.indexOf('\0\0\x01', at + 3)) {
    if (((bytes[at + 3] ?? 0) & 31) === 5) return true;
  }
  return false;
}

/** Load and free memory, four times a second, as JSON. Each frame stands for itself: all are key frames. */
async function* machineFigures(
  _sink: MediaSourceSink,
  signal: AbortSignal,
): AsyncGenerator<Frame, void, undefined> {
  while (!signal.aborted) {
    const figures = { load: loadavg()[0], cpus: cpus().length, freeBytes: freemem() };
    yield {
      frameData: Buffer.from(JSON.stringify(figures)),
      flags: FRAME_FLAG.KEY_FRAME,
      presentationTs: Date.now(),
      duration: 250,
    };
    await sleep(250, undefined, { signal }).catch(() => undefined);
  }
}

/** One file for each frame of the clip's first two seconds, as an encoder gives them. */
async function splitClip(folder: string): Promise<void> {
  const clip = await openMediaFile(CLIP);
  const headers = parameterSets(clip.tracks[0]?.codecPrivateData ?? new Uint8Array(0));
  let index = 0;
  for await (const frame of clip.frames()) {
    if (index === 50) return;
    index += 1;
    const key = ((frame.flags ?? 0) & FRAME_FLAG.KEY_FRAME) !== 0;
    const name = `sample-${String(index).padStart(5, '0')}.h264`;
    const unit = withStartCodes(frame.frameData);
    await writeFile(join(folder, name), key ? Buffer.concat([headers, unit]) : unit);
  }
}

/** The clip's frames have a length before each NAL unit; encoders give a start code there. */
function withStartCodes(frame: Uint8Array): Buffer {
  const bytes = Buffer.from(frame);
  for (let at = 0; at + 4 <= bytes.length;) {
    const length = bytes.readUInt32BE(at);
    bytes.writeUInt32BE(1, at);
    at += 4 + length;
  }
  return bytes;
}

/** The parameter sets of an avcC box with start codes, as encoders put them before key frames. */
function parameterSets(avcC: Uint8Array): Buffer {
  const bytes = Buffer.from(avcC);
  const units: Buffer[] = [];
  let at = 5;
  for (const mask of [31, 255]) {
    const count = (bytes[at] ?? 0) & mask;
    at += 1;
    for (let i = 0; i < count; i += 1) {
      const length = bytes.readUInt16BE(at);
      units.push(Buffer.of(0, 0, 0, 1), bytes.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return Buffer.concat(units);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { folder: { type: 'string' }, seconds: { type: 'string', default: '4' } },
  });
  const made =
    values.folder === undefined ? await mkdtemp(join(tmpdir(), 'kvs-images-')) : undefined;
  if (made !== undefined) await splitClip(made);
  const service = await openService();
  const client = await KinesisVideoClient.create(service.connection);
  const pictures = new ImageFileMediaSource(values.folder ?? made ?? '', 25);
  const figures = new CallbackMediaSource(
    {
      contentType: 'application/json',
      nalAdaptationFlags: NAL_ADAPTATION.NONE,
      tracks: [{ trackType: TRACK_TYPE.DATA, codecId: 'S_TEXT/UTF8', trackName: 'figures' }],
    },
    machineFigures,
  );
  const streams = [
    await client.registerMediaSource('pictures', pictures),
    await client.registerMediaSource('figures', figures),
  ];
  await client.startAllMediaSources();
  await sleep(Number(values.seconds) * 1000);
  await client.stopAllMediaSources({ timeoutMs: 60_000 });
  for (const stream of streams) {
    const { totalFrames, persistedAcks, droppedFrames } = stream.getMetrics();
    console.log(
      `${stream.name}: ${totalFrames} frames in ${persistedAcks} persisted fragments, ` +
        `${droppedFrames} dropped`,
    );
  }
  await client.close();
  await service.close();
  if (made !== undefined) await rm(made, { recursive: true });
}

await main();
