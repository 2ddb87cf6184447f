// Runs the README's program: cut out of the page, as it stands there, against the package's own
// service, with the credentials in the environment. Then reads the stream back and counts.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KinesisVideoMediaClient, GetMediaCommand } from '@aws-sdk/client-kinesis-video-media';
import { readFrames } from 'kinesis-video/parser';
import { startService } from 'kinesis-video/service';
import { openMediaFile } from 'kinesis-video/sources';
import { fencedBlocks } from './lib/docs.mjs';
import { run } from './lib/run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const CLIP = 'media/camera.mp4';
const REGION = 'us-west-2';
const LIMIT_MS = 600_000;
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'example' };

function program() {
  const blocks = fencedBlocks(readFileSync(join(root, 'README.md'), 'utf8'));
  const found = blocks.filter((block) => block.language === 'js' && block.mark === 'program');
  assert.equal(found.length, 1, 'README.md is to hold one ```js program block');
  const lines = found[0].text.trimEnd().split('\n').length;
  assert.ok(lines <= 30, `the README's program has ${lines} lines: keep it short`);
  return found[0].text;
}

/** Inside the package, so that its own name resolves as it does for a user. */
function writeProgram() {
  const folder = join(root, 'build-core', 'readme');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'upload.mjs');
  writeFileSync(path, program());
  return path;
}

async function countFrames(frames, wanted) {
  let count = 0;
  for await (const _frame of frames) {
    count += 1;
    if (count === wanted) break;
  }
  return count;
}

async function framesBack(endpoint, streamName, wanted) {
  const media = new KinesisVideoMediaClient({ endpoint, region: REGION, credentials });
  const StartSelector = { StartSelectorType: 'EARLIEST' };
  const abort = AbortSignal.timeout(LIMIT_MS);
  try {
    const command = new GetMediaCommand({ StreamName: streamName, StartSelector });
    const { Payload } = await media.send(command, { abortSignal: abort });
    const count = await countFrames(readFrames(Payload), wanted);
    Payload.destroy();
    return count;
  } finally {
    media.destroy();
  }
}

async function main(dataDir) {
  const path = writeProgram();
  const clip = await openMediaFile(join(root, CLIP));
  const wanted = await countFrames(clip.frames(), Infinity);
  const service = await startService({ dataDir, region: REGION });
  try {
    const env = {
      AWS_ENDPOINT_URL_KINESIS_VIDEO: service.endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
    const done = await run([process.execPath, path], { cwd: root, limitMs: LIMIT_MS, env });
    assert.equal(done.code, 0, `the program failed: ${done.code}\n${done.output}`);
    const persisted = done.output.match(/^PERSISTED \d+$/gm)?.length ?? 0;
    assert.ok(persisted > 0, `no Persisted ack was printed:\n${done.output}`);
    const count = await framesBack(service.endpoint, 'front-door', wanted);
    assert.equal(count, wanted, 'frames read back');
    console.log(`${count} frames in ${persisted} fragments, uploaded and read back`);
  } finally {
    await service.close();
  }
}

const dataDir = mkdtempSync(join(tmpdir(), 'kvs-readme-'));
try {
  await main(dataDir);
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
