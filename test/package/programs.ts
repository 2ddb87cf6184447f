import { readFileSync } from 'node:fs';
import { fencedBlocks } from '../../tools/lib/docs.mjs';

/** The program of README.md, word for word. */
export function readmeProgram(): string {
  const page = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [block] = fencedBlocks(page).filter(({ mark }) => mark === 'program');
  if (block === undefined) throw new Error('README.md has no block that is marked as program');
  return block.text;
}

/** The manifest and the test of docs/jest.md, word for word. */
export function jestRecipe(): { readonly manifest: string; readonly test: string } {
  const page = readFileSync(new URL('../../docs/jest.md', import.meta.url), 'utf8');
  const blocks = fencedBlocks(page);
  const text = (wanted: string): string =>
    blocks.find(({ language }) => language === wanted)?.text ?? '';
  return { manifest: text('json'), test: text('js') };
}

/**
 * The README's first minute: `npx kvs serve` and `node upload.mjs`, with a home directory that is empty
 * and no AWS variable but the address that the command prints. Says all that both say.
 */
export const FIRST_MINUTE = `
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
const HOME = mkdtempSync('./home-');
function start(args, env) {
  const clean = { PATH: process.env.PATH, HOME, USERPROFILE: HOME, ...env };
  const child = spawn(process.execPath, args, { env: clean });
  for (const output of [child.stdout, child.stderr]) {
    output.setEncoding('utf8').on('data', (text) => process.stdout.write(text));
  }
  return child;
}
const kvs = './node_modules/.bin/kvs';
const serve = start([kvs, 'serve', '--port', '0', '--data-dir', './kvs-data'], {});
let said = '';
while (!said.includes('Ctrl-C')) said += (await once(serve.stdout, 'data'))[0];
const AWS_ENDPOINT_URL = /AWS_ENDPOINT_URL=(\\S+)/.exec(said)[1];
const [code] = await once(start(['upload.mjs'], { AWS_ENDPOINT_URL }), 'close');
console.log('upload ended with', code);
serve.kill('SIGINT');
console.log('serve ended with', (await once(serve, 'close'))[0]);
`;

/** What a user writes first: ten lines that stream two seconds into a service. */
export const PRODUCER = `
import { KinesisVideoProducer, FRAME_FLAG } from 'kinesis-video';
async function main(endpoint, accessKeyId = 'AKIAIOSFODNN7EXAMPLE', secretAccessKey = 'example') {
  const producer = await KinesisVideoProducer.create({
    region: 'us-west-2', endpoint, credentials: { accessKeyId, secretAccessKey } });
  const stream = await producer.createStream({ streamName: 'first', nalAdaptationFlags: 0,
    tracks: [{ codecId: 'V_TEST' }],
    callbacks: { fragmentAckReceived: ({ type }) => console.log(type) } });
  for (let i = 0, start = Date.now() - 2000; i < 50; i += 1) stream.putFrame({
    frameData: new Uint8Array(1000).fill(i), presentationTs: start + i * 40, duration: 40,
    flags: i % 25 ? FRAME_FLAG.NONE : FRAME_FLAG.KEY_FRAME });
  await stream.stop();
  await producer.close();
}
void main(process.argv[2]);
`;

/** The same package's service around the producer, in one process: prints its endpoint's life. */
export const WITH_SERVICE = `
import { mkdtempSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startService } from 'kinesis-video/service';
const dataDir = mkdtempSync('./data-');
const service = await startService({ dataDir, region: 'us-west-2' });
const [command, ...args] = JSON.parse(process.argv[2] ?? 'null') ?? [process.execPath];
const child = spawn(command, [...args, 'producer.mjs', service.endpoint], { stdio: 'inherit' });
const [code] = await once(child, 'exit');
await service.close();
rmSync(dataDir, { recursive: true });
process.exitCode = code ?? 1;
`;

/** CommonJS through Node's require of ES modules. */
export const REQUIRE = `
const { KinesisVideoProducer, VERSION } = require('kinesis-video');
const parser = require('kinesis-video/parser');
const sources = require('kinesis-video/sources');
const service = require('kinesis-video/service');
const consumer = require('kinesis-video/consumer');
KinesisVideoProducer.create({ region: 'us-west-2' })
  .then((producer) => producer.close())
  .then(() => console.log(typeof VERSION, typeof parser.readFrames, typeof sources.openMediaFile,
    typeof service.startService, typeof consumer.hlsUrl));
`;

/** A typed user of every entry: compiled, never run. */
export const TYPED = `
import {
  type Frame, FRAME_FLAG, KinesisVideoProducer, KvsError, type StreamDefinition,
} from 'kinesis-video';
import { readFrames } from 'kinesis-video/parser';
import * as consumer from 'kinesis-video/consumer';
import { openMediaFile } from 'kinesis-video/sources';
import { type ServiceOptions, startService } from 'kinesis-video/service';

export async function upload(definition: StreamDefinition, data: Uint8Array): Promise<boolean> {
  const producer = await KinesisVideoProducer.create({ region: 'us-west-2' });
  const stream = await producer.createStream(definition);
  const frame: Frame = { frameData: data, presentationTs: 0, flags: FRAME_FLAG.KEY_FRAME };
  try {
    return stream.putFrame(frame);
  } catch (error) {
    if (error instanceof KvsError) console.log(error.status, error.code);
    throw error;
  } finally {
    await producer.close();
  }
}
export const all = { readFrames, consumer, openMediaFile, startService };
export const options: ServiceOptions = { dataDir: './data' };
// @ts-expect-error a frame has bytes
export const bad: Frame = { frameData: 'text', presentationTs: 0 };
`;

/** A CommonJS file where `import` of an ES module is refused (TS1479), and `import()` is not. */
export const TYPED_IMPORT = `
import type { KinesisVideoProducer } from 'kinesis-video' with { 'resolution-mode': 'import' };
export async function open(): Promise<KinesisVideoProducer> {
  const { KinesisVideoProducer } = await import('kinesis-video');
  return KinesisVideoProducer.create({ region: 'us-west-2' });
}
// @ts-expect-error (TS1479) the sentence of the README
import { KvsError } from 'kinesis-video';
export { KvsError };
`;
