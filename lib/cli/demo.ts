import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KvsError } from '../base/errors.js';
import { type KvsService, startService } from '../service/index.js';
import { type MediaFile, openMediaFile } from '../sources/index.js';
import { type Recording, upload, type UploadProgress, type UploadResult } from './demo-upload.js';
import { verify } from './demo-verify.js';
import type { ServiceTarget } from './get-media.js';

const STREAM_NAME = 'demo';
const REGION = 'us-west-2';

/** What the demo is run with. */
export interface DemoOptions {
  /** File to stream; the camera clip of the repository by default. */
  readonly file?: string;
  /** Frames a second of a raw H.264 or H.265 file; what it states, or 25, when left out. */
  readonly frameRate?: number;
  /** How many times the file is streamed, one pass behind the other; 1 by default. */
  readonly passes?: number;
  /** File that what comes back is compared with; the streamed one by default. */
  readonly against?: string;
  /** Data directory of the service, which must be empty or absent; a temporary one by default. */
  readonly dataDir?: string;
  /** Leaves a temporary data directory where it is. One that was named always stays. */
  readonly keep?: boolean;
  /** Directory into which the service also writes what the producer sent. */
  readonly dump?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DemoProgress) => void;
}

/** How far the demo has come. */
export type DemoProgress =
  | ({ readonly kind: 'upload' } & UploadProgress)
  | { readonly kind: 'uploaded'; readonly result: UploadResult }
  | { readonly kind: 'readBack'; readonly frames: number; readonly of: number };

/** What the demo found and measured. */
export interface DemoResult {
  /** The file that was streamed. */
  readonly file: string;
  readonly frames: number;
  readonly fragments: number;
  /** Of media, as read from the file. */
  readonly bytes: number;
  /** From the first frame put to the last Persisted ack. */
  readonly seconds: number;
  readonly firstPersistedMs: number;
  readonly readBackSeconds: number;
  /** Frames that came back as they were sent. */
  readonly framesEqual: number;
  /** The first difference, in words that name the frame; absent when there is none. */
  readonly difference?: string;
  /** Where the service kept the stream, if it is still there. */
  readonly dataDir?: string;
}

/**
 * The main job: starts a service on loopback with a data directory of its own, streams a file into
 * it as fast as acks allow, waits for the last Persisted ack, reads everything back with GetMedia
 * and compares every frame. A difference is a result, not an error.
 *
 * @throws KvsError for a file that cannot be read, and when nothing happens for 30 s.
 */
export async function runDemo(options: DemoOptions = {}): Promise<DemoResult> {
  const fileOptions = options.frameRate === undefined ? {} : { frameRate: options.frameRate };
  const path = options.file ?? cameraClip();
  const file = await openMediaFile(path, fileOptions);
  const against =
    options.against === undefined ? file : await openMediaFile(options.against, fileOptions);
  const dataDir = await makeDataDir(options.dataDir);
  const stays = options.keep === true || options.dataDir !== undefined;
  try {
    const result = await withService(dataDir, options, (target) =>
      streamAndCompare(target, file, against, options),
    );
    return stays ? { ...result, dataDir } : result;
  } finally {
    if (!stays) await rm(dataDir, { recursive: true, force: true });
  }
}

/** Path of the clip that the repository carries. */
export function cameraClip(): string {
  return fileURLToPath(new URL('../../media/camera.mp4', import.meta.url));
}

async function withService<T>(
  dataDir: string,
  options: DemoOptions,
  work: (target: ServiceTarget) => Promise<T>,
): Promise<T> {
  const credentials = {
    accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(20).toString('hex'),
  };
  const service: KvsService = await startService({
    dataDir,
    region: REGION,
    limits: 'off',
    credentials: {
      [credentials.accessKeyId]: {
        secretAccessKey: credentials.secretAccessKey,
        accountId: '123456789012',
      },
    },
    ...(options.dump === undefined ? {} : { dump: options.dump }),
  });
  try {
    return await work({ endpoint: service.endpoint, region: REGION, credentials });
  } finally {
    await service.close();
  }
}

async function streamAndCompare(
  target: ServiceTarget,
  file: MediaFile,
  against: MediaFile,
  options: DemoOptions,
): Promise<DemoResult> {
  const passes = options.passes ?? 1;
  const tell = options.onProgress ?? ((): void => undefined);
  // As if the recording had just ended.
  const startMs = Date.now() - Math.ceil(file.durationMs * passes);
  const sent: Recording = { file, startMs, passes };
  const up = await upload(
    target,
    STREAM_NAME,
    sent,
    (progress) => tell({ kind: 'upload', ...progress }),
    options.signal,
  );
  tell({ kind: 'uploaded', result: up });
  const back = await verify(
    target,
    STREAM_NAME,
    { file: against, startMs, passes },
    up.fragments,
    (frames) => tell({ kind: 'readBack', frames, of: up.frames }),
    options.signal,
  );
  const { difference } = back;
  return {
    file: file.path,
    frames: up.frames,
    fragments: up.fragments.size,
    bytes: up.bytes,
    seconds: up.seconds,
    firstPersistedMs: up.firstPersistedMs,
    readBackSeconds: back.seconds,
    framesEqual: back.framesEqual,
    ...(difference === undefined ? {} : { difference }),
  };
}

async function makeDataDir(wanted: string | undefined): Promise<string> {
  if (wanted === undefined) return mkdtemp(join(tmpdir(), 'kvs-demo-'));
  const first = await mkdir(wanted, { recursive: true });
  if (first === undefined && (await readdir(wanted)).length > 0) {
    throw new KvsError({
      status: 'STATUS_INVALID_ARG',
      message: `the data directory ${wanted} is not empty; the demo needs a fresh one`,
    });
  }
  return wanted;
}
