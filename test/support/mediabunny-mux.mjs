// Writes a media file anew as Matroska with mediabunny, which `npm run bench -- parser` installs.
//   node test/support/mediabunny-mux.mjs IN OUT [--live]      --live: sizes unknown, no index
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../bench/parser/', import.meta.url));
const {
  ALL_FORMATS,
  BufferSource,
  BufferTarget,
  Conversion,
  Input,
  MkvOutputFormat,
  Output,
} = require('mediabunny');

const [from, to, live] = process.argv.slice(2);
const input = new Input({ source: new BufferSource(readFileSync(from)), formats: ALL_FORMATS });
const target = new BufferTarget();
const format = new MkvOutputFormat({ appendOnly: live === '--live' });
const conversion = await Conversion.init({ input, output: new Output({ format, target }) });
if (conversion.discardedTracks.length > 0) throw new Error('mediabunny left tracks out');
await conversion.execute();
writeFileSync(to, new Uint8Array(target.buffer));
