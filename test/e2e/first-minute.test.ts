// What a first user sees who has set nothing: programs in processes of their own, with a home directory
// that is empty and no AWS variable, against services that are there, are not, or refuse.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type KvsService, type ServiceOptions } from '../../lib/service/index.js';
import { fencedBlocks } from '../../tools/lib/docs.mjs';
import { BUILT } from '../support/service-process.js';

const ENTRY = new URL('../../dist/index.js', import.meta.url).href;
const SOURCES = new URL('../../dist/sources/index.js', import.meta.url).href;
const README = new URL('../../README.md', import.meta.url);

let home = '';

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'kvs-first-'));
});

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

/** Both outputs of a program, and how it ended. `until`: it is ended when that is said. */
async function run(
  text: string,
  env: Readonly<Record<string, string>>,
  until = /never/,
): Promise<{ readonly code: unknown; readonly output: string }> {
  const program = join(home, 'upload.mjs');
  const imports = text
    .replaceAll("'kinesis-video/sources'", `'${SOURCES}'`)
    .replaceAll("'kinesis-video'", `'${ENTRY}'`);
  await writeFile(program, imports);
  const clean = { HOME: home, USERPROFILE: home, PATH: process.env['PATH'] ?? '', ...env };
  const child = spawn(process.execPath, [program], { cwd: home, env: clean });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (until.test(output)) child.kill();
    });
  }
  const [code]: unknown[] = await once(child, 'close');
  return { code, output };
}

async function withService(
  options: Partial<ServiceOptions>,
  use: (service: KvsService) => Promise<void>,
): Promise<void> {
  const dataDir = await mkdtemp(join(home, 'data-'));
  const service = await startService({ dataDir, region: 'us-west-2', ...options });
  try {
    await use(service);
  } finally {
    await service.close();
  }
}

/** A program that puts one second of frames and waits for them for as long as it takes. */
function program(
  options: string,
  definition = "streamName: 'door', nalAdaptationFlags: 0",
): string {
  return `
import { KinesisVideoProducer } from 'kinesis-video';
const producer = await KinesisVideoProducer.create({ ${options} });
const stream = await producer.createStream({ ${definition} });
for (let i = 0, start = Date.now(); i < 25; i += 1) stream.putFrame({
  frameData: new Uint8Array(100), key: i === 0, presentationTs: start + i * 40 });
await stream.stop();
await producer.close();
console.log('stored');
`;
}

const WITH_KEYS = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'wrong' };
const warnings = (output: string): readonly string[] =>
  output.match(/KinesisVideoWarning.*/g) ?? [];

describe.skipIf(!BUILT)('a first user (needs npm run build)', () => {
  it('runs the program of the README, without keys and without a region', async () => {
    const blocks = fencedBlocks(await readFile(README, 'utf8'));
    const text = blocks.find(({ mark }) => mark === 'program')?.text ?? '';
    await withService({}, async ({ endpoint }) => {
      const { code, output } = await run(text, { AWS_ENDPOINT_URL: endpoint });
      expect(output.match(/placeholder keys are used/g)).toHaveLength(1);
      expect(output.match(/^PERSISTED \d+$/gm)).toHaveLength(12);
      expect(code).toBe(0);
    });
  });

  it('is silent where all goes well and nothing is asked for', async () => {
    await withService({}, async ({ endpoint }) => {
      const { code, output } = await run(program(`endpoint: '${endpoint}'`), {});
      expect(
        output.replace(/\(node:\d+\) (Warning: )?NodeVersionSupportWarning[^]*created\)\n/, ''),
      ).toBe('stored\n');
      expect(code).toBe(0);
    });
  });

  it('reads AWS_CA_BUNDLE', async () => {
    await withService({ tls: 'generated' }, async ({ endpoint, certificate }) => {
      const AWS_CA_BUNDLE = certificate?.path ?? '';
      const { output } = await run(program(`endpoint: '${endpoint}'`), { AWS_CA_BUNDLE });
      expect(output).toMatch(/stored\n$/);
    });
    const broken = await run(program(''), { AWS_CA_BUNDLE: join(home, 'upload.mjs') });
    expect(broken.output).toMatch(/AWS_CA_BUNDLE cannot be used: .* holds no certificate in PEM/);
  });

  it.each([
    [
      'no service',
      "endpoint: 'http://127.0.0.1:1'",
      {},
      /describeStream .*'door'.* 599: .*ECONNREFUSED 127.0.0.1:1/,
    ],
    ['no region', '', WITH_KEYS, /no AWS region is configured; give the option region/],
    ['a wrong region', "region: 'us-wset-2'", WITH_KEYS, /kinesisvideo\.us-wset-2\.amazonaws\.com/],
    [
      'no keys',
      "region: 'us-west-2'",
      { AWS_EC2_METADATA_DISABLED: 'true' },
      /getSecurityToken failed with result 10007: .*credentials/,
    ],
  ])(
    'is told of %s by one warning, without logger and listener',
    async (_what, options, env, said) => {
      const { output } = await run(program(options), env, /KinesisVideoWarning.*\n/);
      expect(warnings(output)).toHaveLength(1);
      expect(warnings(output)[0]).toMatch(said);
      expect(warnings(output)[0]).toContain(
        'it is tried on; the option `logger: console` tells more',
      );
    },
  );

  it('is told of a wrong key by one warning, and by the log where there is one', async () => {
    const credentials = {
      AKIAIOSFODNN7EXAMPLE: { secretAccessKey: 'right', accountId: '123456789012' },
    };
    await withService({ credentials }, async ({ endpoint }) => {
      const silent = await run(
        program(`endpoint: '${endpoint}'`),
        WITH_KEYS,
        /Warning: stream.*\n|VideoWarning.*\n/,
      );
      expect(warnings(silent.output)).toHaveLength(1);
      expect(warnings(silent.output)[0]).toMatch(/failed with result 403: .*[Ss]ignature/);
      const options = `endpoint: '${endpoint}', logger: console`;
      const logged = await run(program(options), WITH_KEYS, /403: .*\n/);
      expect(logged.output).toMatch(
        /describeStream of stream 'door' failed with result 403: .*[Ss]ignature/,
      );
      expect(warnings(logged.output)).toEqual([]);
    });
  });

  it('is told of frames in another format than the stream has', async () => {
    const { code, output } = await run(program('', "streamName: 'door'"), {});
    expect(output).toMatch(
      /ANNEXB_NALS, and it begins with 00 00 00 00, no start code .* leave ANNEXB_NALS out/,
    );
    expect(code).toBe(1);
  });

  it.each([
    ['seconds', '/ 1000', /is 1970-01-.* looks like seconds/],
    ['microseconds', '* 1000', /is \+\d+-.* looks like microseconds/],
    ['nanoseconds', '* 1e6', /is no date.* looks like nanoseconds/],
  ])('is told once of times in %s, with a logger and without', async (_unit, how, said) => {
    const frame = `frameData: new Uint8Array(9), key: true, presentationTs: Date.now() ${how}`;
    for (const logger of ['', ', logger: console']) {
      const { output } = await run(
        `
import { KinesisVideoProducer } from 'kinesis-video';
const producer = await KinesisVideoProducer.create({ endpoint: 'http://127.0.0.1:1'${logger} });
const stream = await producer.createStream({ streamName: 'door', nalAdaptationFlags: 0 });
for (let i = 0; i < 5; i += 1) try { stream.putFrame({ ${frame} }); } catch (error) { console.log(error.message); }
await producer.close({ timeoutMs: 1 });
`,
        {},
      );
      const lines = output.split('\n').filter((line) => line.includes('presentationTs'));
      expect(lines.filter((line) => said.test(line))).toHaveLength(1);
    }
  });

  it('is told of a service without a directory', async () => {
    const service = new URL('../../dist/service/index.js', import.meta.url).href;
    const text = `import { startService } from '${service}'; await startService({ port: 0 });`;
    const { output } = await run(text, {});
    expect(output).toMatch(/KvsError.*dataDir is undefined; name a directory/);
  });
});
