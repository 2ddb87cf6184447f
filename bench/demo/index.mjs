// The main job: a file through producer, service, disk and GetMedia, every frame compared.
//   npm run bench -- demo [--file PATH] [--loop N] [--json]
import { parseArgs } from 'node:util';
import { runDemo } from '../../dist/cli/demo.js';

export const about = 'a file through producer, service, disk and GetMedia, every frame compared';

/** Runs the demo once; a difference between what was sent and what came back is an error. */
export async function run({ args }) {
  const { values } = parseArgs({
    args,
    options: { file: { type: 'string' }, loop: { type: 'string', default: '1' } },
    strict: false,
  });
  const result = await runDemo({
    ...(values.file !== undefined && { file: values.file }),
    passes: Number(values.loop),
  });
  if (result.difference !== undefined) throw new Error(result.difference);
  const { frames, fragments, bytes, seconds, firstPersistedMs, readBackSeconds } = result;
  const perSecond = (duration) => (bytes / 1e6 / duration).toFixed(1);
  return {
    table: [
      ['frames', 'fragments', 'bytes', 'seconds', 'MB/s', 'first Persisted', 'read back MB/s'],
      [
        String(frames),
        String(fragments),
        String(bytes),
        seconds.toFixed(3),
        perSecond(seconds),
        `${firstPersistedMs.toFixed(1)} ms`,
        perSecond(readBackSeconds),
      ],
    ],
    json: { frames, fragments, bytes, seconds, firstPersistedMs, readBackSeconds },
  };
}
