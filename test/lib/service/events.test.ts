import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  DescribeImageGenerationConfigurationCommand,
  DescribeNotificationConfigurationCommand,
  UpdateImageGenerationConfigurationCommand,
  UpdateNotificationConfigurationCommand,
  type KinesisVideoClient,
} from '@aws-sdk/client-kinesis-video';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KinesisVideoProducer } from '../../../lib/index.js';
import { startService, type KvsService } from '../../../lib/service/index.js';
import { eventually } from '../../support/eventually.js';
import { syntheticFrames } from '../../support/frames.js';
import { cluster, endOfFragment, header, tags } from '../../support/mkv.js';
import { putAll } from '../../support/upload.js';
import {
  CREDENTIALS,
  controlClient,
  createStream,
  putMedia,
  temporaryDirectory,
  withService,
} from './helpers.js';

const URI = 'https://hooks.example/door';
const IMAGES = {
  Status: 'ENABLED',
  ImageSelectorType: 'PRODUCER_TIMESTAMP',
  DestinationConfig: { Uri: 's3://images', DestinationRegion: 'us-west-2' },
  SamplingInterval: 3000,
  Format: 'JPEG',
  FormatConfig: { JPEGQuality: '80' },
  WidthPixels: 320,
} as const;

let directory: string;
let hook: Hook;

beforeEach(async () => {
  directory = await temporaryDirectory();
  hook = await Hook.open();
});

afterEach(async () => {
  await hook.close();
  await rm(directory, { recursive: true, force: true });
});

/** Somebody's web hook. */
class Hook {
  readonly got: Record<string, unknown>[] = [];
  /** What it answers; undefined: nothing, ever. */
  status: number | undefined = 200;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        expect(request.method).toBe('POST');
        expect(request.headers['content-type']).toBe('application/json');
        this.got.push(...linesOf(body));
        if (this.status !== undefined) response.writeHead(this.status).end();
      });
    });
  }

  static async open(): Promise<Hook> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Hook(server);
  }

  get url(): string {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `http://127.0.0.1:${String(address.port)}/door?secret=7`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function linesOf(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const value: unknown = JSON.parse(line);
      if (typeof value !== 'object' || value === null) throw new Error(`no object: ${line}`);
      return { ...value };
    });
}

/** Puts fragments with these tags before them, and waits until all are acknowledged. */
async function putTagged(
  service: KvsService,
  stream: string,
  fragments: readonly Readonly<Record<string, string>>[],
): Promise<void> {
  const put = putMedia(service, stream);
  put.send(header());
  fragments.forEach((pairs, at) => {
    put.send(tags(pairs), cluster(at * 1000, [{ time: 0 }]));
  });
  put.end();
  await put.untilEnded();
  expect(put.count('PERSISTED')).toBe(fragments.length);
  put.destroy();
}

const NOTIFY = { AWS_KINESISVIDEO_NOTIFICATION: '', door: 'open' } as const;

async function setNotification(service: KvsService, Status: 'ENABLED' | 'DISABLED'): Promise<void> {
  const client = controlClient(service);
  await client.send(
    new UpdateNotificationConfigurationCommand({
      StreamName: 'cam',
      NotificationConfiguration: { Status, DestinationConfig: { Uri: URI } },
    }),
  );
  client.destroy();
}

async function both(client: KinesisVideoClient): Promise<unknown[]> {
  const named = { StreamName: 'cam' };
  const one = await client.send(new DescribeNotificationConfigurationCommand(named));
  const two = await client.send(new DescribeImageGenerationConfigurationCommand(named));
  return [one.NotificationConfiguration, two.ImageGenerationConfiguration];
}

describe('configurations', () => {
  it('are kept with the stream, over a restart, until they are removed', async () => {
    const start = (): Promise<KvsService> => startService({ dataDir: directory, limits: 'off' });
    let service = await start();
    await createStream(service, 'cam');
    let client = controlClient(service);
    expect(await both(client)).toEqual([undefined, undefined]);
    await setNotification(service, 'ENABLED');
    await client.send(
      new UpdateImageGenerationConfigurationCommand({
        StreamName: 'cam',
        ImageGenerationConfiguration: IMAGES,
      }),
    );
    await service.close();
    client.destroy();
    service = await start();
    client = controlClient(service);
    const notification = { Status: 'ENABLED', DestinationConfig: { Uri: URI } };
    expect(await both(client)).toEqual([notification, IMAGES]);
    await client.send(new UpdateImageGenerationConfigurationCommand({ StreamName: 'cam' }));
    expect(await both(client)).toEqual([notification, undefined]);
    await client.send(new UpdateNotificationConfigurationCommand({ StreamName: 'cam' }));
    expect(await both(client)).toEqual([undefined, undefined]);
    client.destroy();
    await service.close();
  });

  it('are refused where they break a rule', async () => {
    await withService({}, async (service) => {
      await createStream(service, 'cam');
      const client = controlClient(service);
      const send = (change: object): Promise<unknown> =>
        client.send(
          new UpdateImageGenerationConfigurationCommand({
            StreamName: 'cam',
            ImageGenerationConfiguration: { ...IMAGES, ...change },
          }),
        );
      for (const change of [
        { SamplingInterval: 199 },
        { WidthPixels: 3841 },
        { FormatConfig: { JPEGQuality: '101' } },
        { DestinationConfig: { Uri: 's3://images', DestinationRegion: 'eu-west-1' } },
      ]) {
        await expect(send(change)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
      }
      expect(await both(client)).toEqual([undefined, undefined]);
      client.destroy();
    });
  });
});

describe('events of fragments', () => {
  it('are posted to a URL as the messages of AWS are', async () => {
    await withService({ onEvent: hook.url }, async (service) => {
      const arn = await createStream(service, 'cam');
      await setNotification(service, 'ENABLED');
      await putTagged(service, 'cam', [{ site: 'home' }, NOTIFY, {}]);
      await eventually(() => {
        expect(hook.got).toHaveLength(1);
      });
      expect(hook.got[0]).toEqual({
        StreamArn: arn,
        StreamName: 'cam',
        FragmentNumber: expect.stringMatching(/^\d{47}$/),
        FragmentStartProducerTimestamp: 1000,
        FragmentStartServerTimestamp: expect.any(Number),
        NotificationType: 'PERSISTED',
        NotificationPayload: { door: 'open' },
        DestinationUri: URI,
      });
    });
  });

  it('belong to the fragment before them where its end follows, and not to one that is lost', async () => {
    await withService({ onEvent: hook.url }, async (service) => {
      await createStream(service, 'cam');
      const put = putMedia(service, 'cam');
      put.send(header(), cluster(0, [{ time: 0 }]), tags(NOTIFY), endOfFragment());
      put.send(tags({ ...NOTIFY, door: 'lost' }), cluster(9000, [{ time: 0 }]).subarray(0, 12));
      await put.until((self) => self.count('PERSISTED') === 1);
      put.destroy();
      await eventually(() => {
        expect(hook.got).toHaveLength(1);
      });
      await putTagged(service, 'cam', [{ ...NOTIFY, door: 'shut' }]);
      await eventually(() => {
        expect(hook.got).toHaveLength(2);
      });
      expect(hook.got.map((event) => event['NotificationPayload'])).toEqual([
        { door: 'open' },
        { door: 'shut' },
      ]);
    });
  });

  it('are not told while the configuration is DISABLED', async () => {
    await withService({ onEvent: hook.url }, async (service) => {
      await createStream(service, 'cam');
      await setNotification(service, 'DISABLED');
      await putTagged(service, 'cam', [{ ...NOTIFY, door: 'unheard' }]);
      await setNotification(service, 'ENABLED');
      await putTagged(service, 'cam', [NOTIFY]);
      await eventually(() => {
        expect(hook.got).toHaveLength(1);
      });
      expect(hook.got[0]).toMatchObject({ NotificationPayload: { door: 'open' } });
    });
  });

  it("are those of the producer's putEvent; a command gets them on its input", async () => {
    const file = join(directory, 'events.jsonl');
    await withService({ onEvent: `cat >> '${file}'` }, async (service) => {
      await createStream(service, 'cam');
      const { endpoint } = service;
      const producer = await KinesisVideoProducer.create({ endpoint, credentials: CREDENTIALS });
      const stream = await producer.createStream({
        streamName: 'cam',
        retentionPeriod: 3_600_000,
        nalAdaptationFlags: 0,
      });
      const frames = [...syntheticFrames({ count: 50, start: 1_700_000_000_000 })];
      await putAll(stream, frames.slice(0, 25));
      stream.putEvent(['IMAGE_GENERATION', 'NOTIFICATION'], {
        imagePrefix: 'door/',
        metadata: { who: 'cat' },
      });
      await putAll(stream, frames.slice(25));
      await stream.stop();
      await producer.close();
      await eventually(async () => {
        expect(linesOf(await readFile(file, 'utf8'))).toHaveLength(2);
      });
    });
    const told = linesOf(await readFile(file, 'utf8'));
    const about = { ImagePrefix: 'door/', NotificationPayload: { who: 'cat' }, StreamName: 'cam' };
    expect(told[0]).toMatchObject({ NotificationType: 'IMAGE_GENERATION', ...about });
    expect(told[1]).toMatchObject({ NotificationType: 'PERSISTED', ...about });
    expect(told[0]?.['FragmentNumber']).toBe(told[1]?.['FragmentNumber']);
  });
});

describe('a hook that fails', () => {
  const lines: string[] = [];
  const log = (level: string, message: string, detail?: object): void => {
    lines.push(`${level} ${message} ${String({ error: '', ...detail }.error)}`);
  };

  beforeEach(() => {
    lines.length = 0;
  });

  it.each([
    ['an answer that is none', '', 'the hook answered 500'],
    ['a command that fails', 'exit 3', 'the command ended with 3'],
    ['a command that there is not', '/nowhere/to/be/found', 'the command ended with 127'],
  ])('is told once a minute, without its secrets: %s', async (_what, command, why) => {
    hook.status = 500;
    await withService({ onEvent: command === '' ? hook.url : command, log }, async (service) => {
      await createStream(service, 'cam');
      await putTagged(service, 'cam', [NOTIFY, NOTIFY, NOTIFY]);
      await eventually(() => {
        expect(lines.join()).toContain(`warn onEvent: an event was not delivered Error: ${why}`);
      });
    });
    // The second line is that of the end: it has the rest.
    const told = lines.filter((line) => line.includes('onEvent'));
    expect(told).toHaveLength(2);
    expect(told[1]).toContain('onEvent: 2 events were not delivered');
    expect(lines.join()).not.toContain('secret');
  });

  it('delays neither media nor the end of the service', async () => {
    hook.status = undefined;
    await withService({ onEvent: hook.url, log }, async (service) => {
      await createStream(service, 'cam');
      await putTagged(
        service,
        'cam',
        Array.from({ length: 1050 }, () => NOTIFY),
      );
      expect(hook.got).toHaveLength(1);
    });
    const told = lines.filter((line) => line.includes('onEvent')).join('\n');
    expect(told).toContain('onEvent: an event was not delivered Error: more than 1000 events wait');
    expect(told).toContain('onEvent: 1049 events were not delivered Error: the service closes');
  });

  it('is refused where it is none', async () => {
    for (const onEvent of ['', ' ', 'http://']) {
      await expect(startService({ dataDir: directory, onEvent })).rejects.toThrow(/onEvent/);
    }
  });
});
