// The page: the camera's frames are encoded with WebCodecs and posted to the utility process.
const KEY_FRAME_EVERY_MS = 2000;
const CONFIG = {
  codec: 'avc1.42E01F',
  width: 1280,
  height: 720,
  bitrate: 2_000_000,
  framerate: 25,
  latencyMode: 'realtime',
  // Length-prefixed NAL units, and the avcC record beside them: what Matroska holds.
  avc: { format: 'avc' },
};

/** Posts each chunk as the encoder gives it. Its bytes are copied: ports between processes
 * carry no transferred buffers, and 20 KB a frame cost nothing. */
function encoderTo(port, show) {
  return new VideoEncoder({
    error: (error) => show(`encoder: ${error.message}`),
    output(chunk, metadata) {
      const config = metadata?.decoderConfig;
      if (config !== undefined) port.postMessage({ kind: 'config', config });
      const data = new ArrayBuffer(chunk.byteLength);
      chunk.copyTo(data);
      const { type, timestamp, duration } = chunk;
      port.postMessage({ kind: 'frame', chunk: { type, timestamp, duration, data } });
    },
  });
}

/** Encodes until the track ends. While the uploader is behind, frames are left out, and the next
 * one that is encoded is a key frame. */
async function encode(track, encoder, flow) {
  const frames = new MediaStreamTrackProcessor({ track }).readable;
  let lastKey = -Infinity;
  for await (const frame of frames) {
    const timeMs = frame.timestamp / 1000;
    if (flow.waiting || encoder.encodeQueueSize > 2) {
      lastKey = -Infinity;
    } else {
      const keyFrame = timeMs - lastKey >= KEY_FRAME_EVERY_MS;
      if (keyFrame) lastKey = timeMs;
      encoder.encode(frame, { keyFrame });
    }
    frame.close();
  }
  await encoder.flush();
}

async function main(port) {
  const show = (text) => (document.querySelector('#state').textContent = text);
  const flow = { waiting: false };
  port.onmessage = ({ data }) => {
    if (data.kind === 'wait') flow.waiting = true;
    if (data.kind === 'drain') flow.waiting = false;
    if (data.kind === 'state') show(data.text);
  };
  const camera = await navigator.mediaDevices.getUserMedia({
    video: { width: CONFIG.width, height: CONFIG.height, frameRate: CONFIG.framerate },
  });
  document.querySelector('#preview').srcObject = camera;
  const encoder = encoderTo(port, show);
  encoder.configure(CONFIG);
  await encode(camera.getVideoTracks()[0], encoder, flow);
}

window.addEventListener('message', (event) => {
  if (event.source === window && event.data === 'frames') void main(event.ports[0]);
});
