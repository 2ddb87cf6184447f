// Bodies and connections for the service's benchmark: raw sockets, prebuilt bytes, no parsing of
// more than the acks.
import { randomFillSync } from 'node:crypto';
import { connect } from 'node:net';
import { MKV_ID, writeHeader } from '../../dist/parser/index.js';

const element = (id, ...parts) => {
  const data = Buffer.concat(parts);
  return Buffer.concat([writeHeader(id, data.length), data]);
};
const uint = (id, value) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return element(id, bytes);
};

/** Session header of one video track. */
export function header() {
  const track = element(
    MKV_ID.TRACK_ENTRY,
    uint(MKV_ID.TRACK_NUMBER, 1),
    uint(MKV_ID.TRACK_TYPE, 1),
    element(MKV_ID.CODEC_ID, Buffer.from('V_MPEG4/ISO/AVC')),
  );
  return Buffer.concat([
    element(MKV_ID.EBML, element(MKV_ID.DOC_TYPE, Buffer.from('matroska'))),
    writeHeader(MKV_ID.SEGMENT, undefined),
    element(MKV_ID.INFO, uint(MKV_ID.TIMESTAMP_SCALE, 1_000_000)),
    element(MKV_ID.TRACKS, track),
  ]);
}

/** Head of a Cluster of unknown size. */
export function clusterHead(timecode) {
  return Buffer.concat([writeHeader(MKV_ID.CLUSTER, undefined), uint(MKV_ID.TIMESTAMP, timecode)]);
}

/** Blocks of `frameBytes` each, as many as fit into `bytes`. */
export function blocks(bytes, frameBytes) {
  const data = randomFillSync(Buffer.alloc(frameBytes));
  const count = Math.max(1, Math.round(bytes / frameBytes));
  return Buffer.concat(
    Array.from({ length: count }, (_, index) => {
      const head = Buffer.from([0x81, 0, 0, 0x80]);
      head.writeInt16BE(Math.min(index * 33, 32_000), 1);
      return element(MKV_ID.SIMPLE_BLOCK, head, data);
    }),
  );
}

export const endOfFragment = element(
  MKV_ID.TAGS,
  element(
    MKV_ID.TAG,
    element(
      MKV_ID.SIMPLE_TAG,
      element(MKV_ID.TAG_NAME, Buffer.from('AWS_KINESISVIDEO_END_OF_FRAGMENT')),
      element(MKV_ID.TAG_STRING, Buffer.alloc(0)),
    ),
  ),
);

/** One PutMedia call. `onPersisted(timecode)` is called as acks come. */
export class Upload {
  #socket;
  #rest = '';
  constructor(endpoint, path, stream, onPersisted) {
    const { hostname, port } = new URL(endpoint);
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true });
    this.done = new Promise((resolve, reject) => {
      this.#socket.on('error', reject);
      this.#socket.on('data', (bytes) => {
        this.#rest += bytes.toString('latin1');
        const lines = this.#rest.split('\r\n');
        this.#rest = lines.pop() ?? '';
        for (const line of lines) {
          if (line.includes('"ERROR"')) reject(new Error(line));
          if (line === '0') resolve();
          const ack = /"PERSISTED","FragmentTimecode":(\d+)/.exec(line);
          if (ack !== null) onPersisted(Number(ack[1]));
        }
      });
      this.#socket.on('close', resolve);
    });
    this.#socket.write(
      `POST ${path} HTTP/1.1\r\nHost: ${hostname}\r\ntransfer-encoding: chunked\r\n` +
        `x-amzn-stream-name: ${stream}\r\nx-amzn-fragment-timecode-type: ABSOLUTE\r\n\r\n`,
    );
  }

  /** Sends parts as HTTP chunks of at most 64 KiB; resolves when the socket wants more. */
  async send(...parts) {
    let wants = true;
    for (const part of parts) {
      for (let at = 0; at < part.length; at += 65_536) {
        const piece = part.subarray(at, at + 65_536);
        this.#socket.cork();
        this.#socket.write(`${piece.length.toString(16)}\r\n`);
        this.#socket.write(piece);
        wants = this.#socket.write('\r\n');
        this.#socket.uncork();
        if (!wants) await new Promise((resolve) => this.#socket.once('drain', resolve));
      }
    }
  }

  end() {
    this.#socket.write('0\r\n\r\n');
    return this.done;
  }

  close() {
    this.#socket.destroy();
  }
}

/** A JSON call of the service. */
export async function call(endpoint, path, body) {
  const answer = await fetch(`${endpoint}${path}`, { method: 'POST', body: JSON.stringify(body) });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`);
  return text === '' ? {} : JSON.parse(text);
}
