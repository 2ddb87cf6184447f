// The other readers: each takes one copy of the media, counts its frames and gives their number.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** Installs the other readers beside this file; says why when that is not possible. */
export function install() {
  if (existsSync(`${folder}node_modules/mediabunny`)) return undefined;
  try {
    const args = ['install', '--silent', '--no-package-lock', '--ignore-scripts'];
    execFileSync('npm', args, { cwd: folder, stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return `npm install in bench/parser failed: ${error.message}`;
  }
}

function* chunksOf(bytes, size) {
  for (let at = 0; at < bytes.length; at += size) {
    yield bytes.subarray(at, Math.min(at + size, bytes.length));
  }
}

export async function ebmlStream() {
  const { default: library } = await import('ebml-stream');
  return async ({ live }, chunkBytes) => {
    const decoder = new library.EbmlStreamDecoder();
    let frames = 0;
    decoder.on('data', (tag) => {
      if (tag.id === 0xa3) frames += tag.payload.length > 0 ? 1 : 0;
    });
    const done = new Promise((resolve, reject) => decoder.on('end', resolve).on('error', reject));
    for (const chunk of chunksOf(live, chunkBytes)) {
      const part = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
      if (!decoder.write(part)) await new Promise((resolve) => decoder.once('drain', resolve));
    }
    decoder.end();
    await done;
    return frames;
  };
}

export async function tsEbml() {
  const { default: library } = await import('ts-ebml');
  return async ({ file }, chunkBytes) => {
    const decoder = new library.Decoder();
    let frames = 0;
    for (const chunk of chunksOf(file, chunkBytes)) {
      const start = chunk.byteOffset;
      const part = chunk.buffer.slice(start, start + chunk.length);
      for (const element of decoder.decode(part)) if (element.name === 'SimpleBlock') frames += 1;
    }
    return frames;
  };
}

async function countPackets(library, source) {
  const input = new library.Input({ source, formats: [library.MATROSKA] });
  const track = await input.getPrimaryVideoTrack();
  let frames = 0;
  for await (const packet of new library.EncodedPacketSink(track).packets()) {
    if (packet.data.length > 0) frames += 1;
  }
  input.dispose();
  return frames;
}

/** From one buffer: no chunks at all, the best case. */
export async function mediabunny() {
  const library = await import('mediabunny');
  return ({ file }) => countPackets(library, new library.BufferSource(file));
}

/** From a Web stream of chunks. */
export async function mediabunnyStream() {
  const library = await import('mediabunny');
  return ({ file }, chunkBytes) => {
    const chunks = chunksOf(file, chunkBytes);
    const stream = new ReadableStream({
      pull(controller) {
        const { done, value } = chunks.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
    });
    return countPackets(library, new library.ReadableStreamSource(stream));
  };
}
