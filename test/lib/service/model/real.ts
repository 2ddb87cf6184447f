import { rm } from 'node:fs/promises';
import type { KinesisVideoClient } from '@aws-sdk/client-kinesis-video';
import type { KinesisVideoArchivedMediaClient } from '@aws-sdk/client-kinesis-video-archived-media';
import type { KinesisVideoMediaClient } from '@aws-sdk/client-kinesis-video-media';
import { startService, type KvsService } from '../../../../lib/service/index.js';
import { NO_LIMITS } from '../../../../lib/service/limits.js';
import { archiveClient, controlClient, mediaClient, temporaryDirectory } from '../helpers.js';
import { MODEL_LIMITS, Refusal, type World } from './world.js';

interface Clients {
  readonly service: KvsService;
  readonly control: KinesisVideoClient;
  readonly media: KinesisVideoMediaClient;
  readonly archive: KinesisVideoArchivedMediaClient;
}

/** The service itself, on a clock that the model drives, called with AWS's clients. */
export class Real {
  readonly #dataDir: string;
  readonly #world: World;
  #clients: Clients | undefined;

  private constructor(dataDir: string, world: World) {
    this.#dataDir = dataDir;
    this.#world = world;
  }

  static async open(world: World): Promise<Real> {
    const real = new Real(await temporaryDirectory(), world);
    await real.#start();
    return real;
  }

  get use(): Clients {
    if (this.#clients === undefined) throw new Error('the service is not running');
    return this.#clients;
  }

  /** Ends the service and starts it again on the same data, `meanwhile` in between. */
  async restart(meanwhile: () => void): Promise<void> {
    await this.#stop();
    meanwhile();
    await this.#start();
  }

  async close(): Promise<void> {
    await this.#stop();
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const service = await startService({
      dataDir: this.#dataDir,
      limits: { ...NO_LIMITS, ...MODEL_LIMITS },
      clock: { mono: () => performance.now(), wall: () => this.#world.wall },
    });
    this.#clients = {
      service,
      control: controlClient(service),
      media: mediaClient(service),
      archive: archiveClient(service),
    };
  }

  async #stop(): Promise<void> {
    const clients = this.#clients;
    this.#clients = undefined;
    if (clients === undefined) return;
    clients.control.destroy();
    clients.media.destroy();
    clients.archive.destroy();
    await clients.service.close();
  }
}

/** What a call comes to: its answer, or the name of its exception. */
export async function outcome<T>(call: () => T | Promise<T>): Promise<T | string> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    if (error instanceof Error && '$metadata' in error) return error.name;
    throw error;
  }
}
