// Makes the Matroska goldens beside it; see README.md. Needs ffmpeg (libx264, aac, libvpx, libopus)
// and mkvmerge. Run by hand only: the files are compared byte for byte by nothing but the tests'
// own dumps, and other versions of the tools write other bytes.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'kvs-golden-'));
const run = (tool, args) => execFileSync(tool, args, { stdio: ['ignore', 'pipe', 'inherit'] });
const ffmpeg = (...args) => run('ffmpeg', ['-v', 'error', '-y', ...args]);

// --- files by other muxers ---
const VIDEO = ['-f', 'lavfi', '-i', 'testsrc=size=64x48:rate=10:duration=1.5'];
const AUDIO = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=8000:duration=1.5'];
const H264 = ['-c:v', 'libx264', '-preset', 'veryslow', '-crf', '45', '-g', '5', '-bf', '2'];
const EXACT = ['-fflags', '+bitexact', '-flags', '+bitexact', '-pix_fmt', 'yuv420p'];
const av = join(scratch, 'av.mkv');
ffmpeg(...VIDEO, ...AUDIO, ...H264, '-x264-params', 'info=0', '-c:a', 'aac', '-b:a', '8k', ...EXACT, av);
ffmpeg('-i', av, '-c', 'copy', '-fflags', '+bitexact', join(here, 'ffmpeg-file.mkv'));
const pipe = run('ffmpeg', ['-v', 'error', '-i', av, '-c', 'copy', '-fflags', '+bitexact', '-f', 'matroska', '-']);
writeFileSync(join(here, 'ffmpeg-pipe.mkv'), pipe);
ffmpeg(...VIDEO, ...AUDIO, '-c:v', 'libvpx', '-b:v', '10k', '-c:a', 'libopus', '-b:a', '6k', ...EXACT, join(here, 'ffmpeg.webm'));
const merge = (name, ...args) =>
  run('mkvmerge', ['-q', '--deterministic', 'kvs', '-o', join(here, name), ...args, av]);
merge('mkvmerge-laced.mkv');
merge('mkvmerge-blockgroups.mkv', '--disable-lacing', '--engage', 'no_simpleblocks');

// --- files by hand ---
const bytes = (value) => {
  if (typeof value === 'string') return Buffer.from(value, 'latin1');
  if (typeof value === 'number') {
    const hex = value.toString(16);
    return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  }
  return value;
};
const size = (n, width) => {
  const out = Buffer.alloc(width);
  out.writeUIntBE(n, width > 6 ? width - 6 : 0, Math.min(width, 6));
  out[0] |= 0x100 >> width;
  return out;
};
const open = (id, width = 1) =>
  Buffer.concat([bytes(id), Buffer.from([(0x200 >> width) - 1]), Buffer.alloc(width - 1, 0xff)]);
const el = (id, body, width = 4) => {
  const data = Array.isArray(body) ? Buffer.concat(body) : bytes(body);
  return Buffer.concat([bytes(id), size(data.length, width), data]);
};
const u64 = (value) => {
  const out = Buffer.alloc(8);
  out.writeBigUInt64BE(BigInt(value));
  return out;
};
const f64 = (value) => {
  const out = Buffer.alloc(8);
  out.writeDoubleBE(value);
  return out;
};
const tags = (width, ...pairs) =>
  el(0x1254c367, [el(0x7373, pairs.map(([name, value]) => el(0x67c8, [el(0x45a3, name, 1), el(0x4487, value, 1)], width)), width)], width);
const head = el(0x1a45dfa3, [
  el(0x4286, 1, 1), el(0x42f7, 1, 1), el(0x42f2, 4, 1), el(0x42f3, 8, 1),
  el(0x4282, 'matroska', 1), el(0x4287, 2, 1), el(0x4285, 2, 1),
], 1);
const info = el(0x1549a966, [
  el(0x73a4, Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex'), 1),
  el(0x2ad7b1, u64(1_000_000), 1), el(0x7ba9, 'By hand', 1), el(0x4d80, 'By hand\0', 1), el(0x5741, 'By hand', 1),
], 2);
const videoTrack = el(0xae, [
  el(0xd7, 1, 1), el(0x73c5, u64(0x8877665544332211n), 1), el(0x83, 1, 1), el(0x536e, 'front door', 1),
  el(0x86, 'V_MPEG4/ISO/AVC\0', 1), el(0xe0, [el(0xb0, 640, 1), el(0xba, 480, 1)], 1),
  el(0x63a2, Buffer.from('0142c00bffe1000467420000', 'hex'), 1),
]);
const audioTrack = el(0xae, [
  el(0xd7, 2, 1), el(0x73c5, 2, 1), el(0x83, 2, 1), el(0x536e, 'microphone', 1), el(0x86, 'A_AAC', 1),
  el(0xe1, [el(0xb5, f64(48000), 1), el(0x9f, 2, 1), el(0x6264, 16, 1)], 1), el(0x63a2, Buffer.from('1190', 'hex'), 1),
]);
const block = (track, time, flags, payload, width = 2) => {
  const start = Buffer.from([0x80 | track, (time >> 8) & 255, time & 255, flags]);
  return el(0xa3, [start, bytes(payload)], width);
};
const payload = (seed, length) => Buffer.from(Array.from({ length }, (_, i) => (seed * 31 + i * 7) & 255));

// What GetMedia gives: one document for each fragment, with the service's tags around the cluster.
const number = (i) => `9134385233318150666${String(3182042 + i).padStart(28, '0')}`;
const fragment = (i, ...extra) => [
  head, open(0x18538067, 8), info, el(0x1654ae6b, [videoTrack, audioTrack]),
  tags(4,
    ['AWS_KINESISVIDEO_FRAGMENT_NUMBER', number(i)],
    ['AWS_KINESISVIDEO_SERVER_TIMESTAMP', `${1511852109 + 2 * i}.126`],
    ['AWS_KINESISVIDEO_PRODUCER_TIMESTAMP', `${1511852108 + 2 * i}.513`]),
  open(0x1f43b675), el(0xe7, u64(1511852108513 + 2000 * i), 1), el(0xa7, 0, 1),
  block(1, 0, 0x80, payload(i, 200)), block(2, 0, 0x80, payload(i + 50, 20)), block(1, 133, 0, payload(i + 1, 90)),
  block(1, 67, 1, payload(i + 2, 40)), block(1, 33, 9, payload(i + 3, 30)), block(2, 64, 0x80, payload(i + 51, 20)),
  ...extra,
  tags(4,
    ['AWS_KINESISVIDEO_MILLIS_BEHIND_NOW', String(15858 - 2000 * i)],
    ['AWS_KINESISVIDEO_CONTINUATION_TOKEN', number(i)]),
];
writeFileSync(join(here, 'getmedia.mkv'), Buffer.concat([
  ...fragment(0), ...fragment(1, tags(8, ['door', 'open'], ['temperature', '21.5'])), ...fragment(2),
]));

// What a producer sends: one Segment, metadata tags after the blocks, END_OF_FRAGMENT at the end.
writeFileSync(join(here, 'putmedia.mkv'), Buffer.concat([
  head, open(0x18538067), info, el(0x1654ae6b, [videoTrack]),
  open(0x1f43b675), el(0xe7, u64(0), 1), el(0xa7, 0, 1), block(1, 0, 0x80, payload(1, 100)), block(1, 40, 0, payload(2, 50)),
  tags(8, ['door', 'open']), tags(8, ['AWS_KINESISVIDEO_END_OF_FRAGMENT', '']),
  open(0x1f43b675), el(0xe7, u64(80), 1), el(0xa7, 0, 1), block(1, 0, 0x80, payload(3, 100)), block(1, -40, 0, payload(4, 50)),
  tags(8, ['AWS_KINESISVIDEO_END_OF_FRAGMENT', '']),
]));

// Everything odd that is still Matroska.
const lace = (flags, ...parts) => el(0xa3, [Buffer.from([0x81, 0, 0, flags]), ...parts.map(bytes)], 2);
writeFileSync(join(here, 'odd.mkv'), Buffer.concat([
  el(0xec, Buffer.alloc(5), 1), head, open(0x18538067, 3),
  el(0xec, Buffer.alloc(300), 2), el(0xbf, Buffer.from('01020304', 'hex'), 1),
  tags(2, ['before', 'info']), info, el(0x1654ae6b, [el(0xec, '', 1), videoTrack]),
  el(0x4abc, payload(9, 33), 1),
  open(0x1f43b675, 5), el(0xab, 77, 1), block(1, 5, 0x80, payload(1, 10)), el(0xe7, '', 1),
  el(0xaf, payload(5, 25), 1),
  lace(0x82, Buffer.from([2, 255, 1, 3]), payload(6, 256), payload(7, 3), payload(8, 5)),
  lace(0x84, Buffer.from([2]), payload(6, 4), payload(7, 4), payload(8, 4)),
  lace(0x86, Buffer.from([3, 0x84, 0xc1, 0xbd]), payload(6, 4), payload(7, 6), payload(8, 4), payload(9, 2)),
  el(0xa0, [
    el(0xa1, [Buffer.from([0x81, 0x7f, 0xff, 8]), payload(4, 12)], 1), el(0x9b, 40, 1), el(0xfb, Buffer.from([0xd8]), 1),
    el(0x75a1, [el(0xa6, [el(0xee, 1, 1), el(0xa5, payload(3, 6), 1)], 1)], 1), el(0x75a2, Buffer.from('ff85', 'hex'), 1),
  ], 2),
  el(0xa0, [el(0xa1, [Buffer.from([0x40, 0x01, 0xff, 0xfe, 0]), payload(5, 12)], 1)], 1),
  el(0x1f43b675, [el(0xe7, 100, 1), block(1, 0, 0x80, ''), el(0xbf, Buffer.from('0a0b0c0d', 'hex'), 1)], 8),
  open(0x1f43b675, 8), el(0xe7, 200, 1),
  el(0x1c53bb6b, [el(0xbb, [el(0xb3, 0, 1), el(0xb7, [el(0xf7, 1, 1), el(0xf1, 0, 1)], 1)], 1)], 1),
  el(0x1941a469, [el(0x61a7, [el(0x466e, 'a.txt', 1), el(0x4660, 'text/plain', 1), el(0x465c, 'hello', 1), el(0x46ae, 7, 1)], 1)], 2),
  el(0x1043a770, [el(0x45b9, [el(0xb6, [el(0x73c4, 1, 1), el(0x91, 0, 1), el(0xb6, [el(0x73c4, 2, 1), el(0x80, [el(0x85, 'two', 1)], 1)], 1)], 1)], 1)], 1),
  el(0x1254c367, [el(0x7373, [el(0x63c0, '', 1), el(0x67c8, [el(0x45a3, 'outer', 1), el(0x67c8, [el(0x45a3, 'inner', 1), el(0x4485, payload(1, 3), 1)], 1)], 1)], 1)], 1),
  head, open(0x18538067, 2), info, tags(1, ['second', 'document']),
]));
rmSync(scratch, { recursive: true });
