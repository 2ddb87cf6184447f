// How the pace and a transport go together: a transport waits for more than it was given, and the
// session tells it when there is some.
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  KinesisVideoProducer,
  type PutMediaIo,
  type PutMediaTransport,
} from '../../../lib/index.js';
import { eventually } from '../../support/eventually.js';
import { syntheticFrames } from '../../support/frames.js';
import { ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS } from '../../support/upload.js';

/** Reads once each time it is woken, and never of itself. */
class Sleeper implements PutMediaTransport {
  bytes = 0;
  readonly #into: Uint8Array = new Uint8Array(512 * 1024);

  open(_request: unknown, io: PutMediaIo): ReturnType<PutMediaTransport['open']> {
    const read = (): void => {
      this.bytes += io.read(this.#into);
    };
    setImmediate(() => {
      io.onOpen();
      read();
    });
    return { wake: () => void setImmediate(read), abort: () => undefined };
  }
}

let service: ScriptedService;

beforeEach(async () => {
  service = await ScriptedService.start();
});

afterEach(async () => {
  await service.close();
});

it('wakes a transport for what the pace held back', async () => {
  const transport = new Sleeper();
  const producer = await KinesisVideoProducer.create({
    endpoint: service.endpoint,
    credentials: CREDENTIALS,
    transport,
  });
  const small = { streamName: 'camera', nalAdaptationFlags: 0, minFragmentDuration: 0 };
  const stream = await producer.createStream(small);
  const frames = syntheticFrames({
    count: 15,
    start: 1_700_000_000_000,
    step: 200,
    gop: 1,
    size: 1000,
  });
  for (const frame of frames) stream.putFrame(frame);
  await eventually(() => {
    expect(transport.bytes).toBeGreaterThan(15 * 1000);
  });
  await producer.close({ timeoutMs: 0 }).catch(() => undefined);
});
