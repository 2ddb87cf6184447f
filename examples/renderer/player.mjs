// GetMedia -> frames (kinesis-video/parser) -> pictures (WebCodecs) -> canvas.
//   ?stream=NAME   which stream                  ?start=NOW     instead of from the earliest fragment
//   ?pace=off      draw as soon as decoded, instead of at the pace of the time stamps
import { readMedia } from 'kinesis-video/parser';
import { decoderConfig, sameDecoder } from './codecs.mjs';

const VIDEO = 1;
/** Pictures on their way: decoders own few, so they must not pile up. */
const MOST_WAITING = 8;
/** Time without media, ms, after which the pictures that a decoder holds back are shown. */
const IDLE_MS = 300;

const canvas = document.querySelector('canvas');
const output = document.querySelector('output');
const nextAnimationFrame = () => new Promise(requestAnimationFrame);

/** Draws pictures in their order: at once, or each at its time. */
class Screen {
  frames = 0;
  #paced;
  #waiting = [];
  #started;

  constructor(paced) {
    this.#paced = paced;
  }

  get waiting() {
    return this.#waiting.length;
  }

  /** Takes a `VideoFrame`, which it closes when it was drawn. */
  show(picture) {
    if (!this.#paced) return this.#draw(picture);
    this.#waiting.push(picture);
    if (this.#waiting.length === 1) requestAnimationFrame((now) => this.#drawDue(now));
    return undefined;
  }

  #drawDue(now) {
    this.#started ??= now - this.#waiting[0].timestamp / 1000;
    const isDue = ({ timestamp }) => timestamp / 1000 <= now - this.#started;
    while (this.#waiting.length > 0 && isDue(this.#waiting[0])) this.#draw(this.#waiting.shift());
    if (this.#waiting.length > 0) requestAnimationFrame((later) => this.#drawDue(later));
  }

  #draw(picture) {
    if (canvas.width !== picture.displayWidth) canvas.width = picture.displayWidth;
    if (canvas.height !== picture.displayHeight) canvas.height = picture.displayHeight;
    canvas.getContext('2d').drawImage(picture, 0, 0);
    picture.close();
    this.frames += 1;
    const time = new Date(picture.timestamp / 1000).toISOString();
    output.textContent = `${this.frames} frames, ${canvas.width} × ${canvas.height}, ${time}`;
    document.body.dataset.frames = String(this.frames);
  }
}

/** Decodes the frames of the first video track. */
class Renderer {
  #screen;
  #decoder;
  #track;
  #idle;
  #flushed = false;

  constructor(screen) {
    this.#screen = screen;
    this.#decoder = new VideoDecoder({ output: (picture) => screen.show(picture), error: fail });
  }

  async take(frame) {
    const { track } = frame;
    if (track?.type !== VIDEO || (this.#track && this.#track.number !== track.number)) {
      return undefined;
    }
    if (track.codecId === 'V_MJPEG') return this.#showJpeg(frame);
    clearTimeout(this.#idle);
    if (!this.#track || !sameDecoder(this.#track, track)) {
      if (!frame.keyFrame) return undefined;
      if (this.#track) await this.#decoder.flush();
      this.#decoder.configure({ ...decoderConfig(track, frame.data), optimizeForLatency: true });
      this.#track = track;
    }
    if (this.#flushed && !frame.keyFrame) return undefined;
    this.#flushed = false;
    const type = frame.keyFrame ? 'key' : 'delta';
    const timestamp = Math.round(frame.timecodeMs * 1000);
    this.#decoder.decode(new EncodedVideoChunk({ type, timestamp, data: frame.data }));
    return this.#room();
  }

  /** Where pictures are reordered, the decoder keeps some until the next ones come, or a flush. */
  endFragment() {
    clearTimeout(this.#idle);
    if (this.#track === undefined) return;
    this.#idle = setTimeout(() => {
      this.#flushed = true;
      this.#decoder.flush().catch(fail);
    }, IDLE_MS);
  }

  /** Waiting here holds up the parser, that the response, and that the service. */
  async #room() {
    while (this.#decoder.decodeQueueSize + this.#screen.waiting > MOST_WAITING) {
      await nextAnimationFrame();
    }
  }

  async #showJpeg({ data, timecodeMs }) {
    const picture = await createImageBitmap(new Blob([data], { type: 'image/jpeg' }));
    this.#screen.show(new VideoFrame(picture, { timestamp: Math.round(timecodeMs * 1000) }));
    await this.#room();
  }
}

function fail(error) {
  output.textContent = error.message;
  document.body.dataset.error = error.message;
}

async function play(parameters) {
  const query = new URLSearchParams(parameters);
  document.querySelector('h1').textContent = query.get('stream') ?? 'No stream: add ?stream=NAME';
  const response = await fetch(`media?${query}`);
  if (!response.ok) throw new Error(await response.text());
  const renderer = new Renderer(new Screen(query.get('pace') !== 'off'));
  for await (const event of readMedia(response.body)) {
    if (event.kind === 'frame') await renderer.take(event);
    if (event.kind === 'fragmentEnd') renderer.endFragment();
    if (event.kind === 'error') throw event.error;
  }
}

play(location.search).catch(fail);
