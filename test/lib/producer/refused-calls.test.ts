// What a refused call says: which call, of what, which rule, and what to do.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  KinesisVideoProducer,
  KvsError,
  type KinesisVideoStream,
  type StatusName,
} from '../../../lib/index.js';
import { CREDENTIALS } from '../../support/upload.js';

type Call = (stream: KinesisVideoStream) => void;

describe('a refused call', () => {
  let producer: KinesisVideoProducer;
  let stream: KinesisVideoStream;

  beforeEach(async () => {
    producer = await KinesisVideoProducer.create({
      endpoint: 'http://127.0.0.1:9',
      credentials: CREDENTIALS,
    });
    stream = await producer.createStream({ streamName: 'camera' });
  });

  afterEach(async () => {
    await producer.close({ timeoutMs: 0 }).catch(() => undefined);
  });

  const REFUSED: readonly (readonly [string, Call, StatusName, RegExp])[] = [
    [
      'a name that begins with AWS',
      (one) => {
        one.putFragmentMetadata('AWS_X', 'v');
      },
      'STATUS_INVALID_METADATA_NAME',
      /'AWS_X'.*begin with AWS.*another name/,
    ],
    [
      'a long name',
      (one) => {
        one.putFragmentMetadata('n'.repeat(129), 'v');
      },
      'STATUS_MKV_INVALID_TAG_NAME_LENGTH',
      /129 bytes.*1 to 128/,
    ],
    [
      'a long value',
      (one) => {
        one.putFragmentMetadata('n', 'v'.repeat(257));
      },
      'STATUS_MKV_INVALID_TAG_VALUE_LENGTH',
      /257 bytes.*at most 256/,
    ],
    [
      'an eleventh',
      (one) => {
        for (let i = 0; i < 11; i += 1) one.putFragmentMetadata(`n${i}`, 'v', true);
      },
      'STATUS_MAX_FRAGMENT_METADATA_COUNT',
      /'n10'.*10.*empty value/,
    ],
    [
      'a value that is no text',
      (one) => {
        Reflect.apply(one.putFragmentMetadata.bind(one), undefined, ['n', 7]);
      },
      'STATUS_INVALID_ARG',
      /putFragmentMetadata of stream 'camera'.*value/,
    ],
    [
      'codec private data of a track that there is not',
      (one) => {
        one.start(Uint8Array.of(1, 2, 3), 9);
      },
      'STATUS_MKV_TRACK_INFO_NOT_FOUND',
      /track 9.*Declare/,
    ],
    [
      'codec private data that are no Annex-B',
      (one) => {
        one.start(Uint8Array.of(1, 2, 3));
      },
      'STATUS_MKV_INVALID_ANNEXB_NALU_IN_CPD',
      /3 bytes.*start code.*ANNEXB_CPD_NALS/,
    ],
    [
      'codec private data that are no bytes',
      (one) => {
        Reflect.apply(one.start.bind(one), undefined, ['sps']);
      },
      'STATUS_INVALID_ARG',
      /start of stream 'camera'/,
    ],
    [
      'a negative pre-roll',
      (one) => {
        one.pause({ preRollMs: -1 });
      },
      'STATUS_INVALID_ARG',
      /preRollMs is -1; give 0 or more/,
    ],
  ];

  it.each(REFUSED)('for %s', (_what, call, status, text) => {
    let error: unknown;
    try {
      call(stream);
    } catch (thrown) {
      error = thrown;
    }
    if (!(error instanceof KvsError)) throw new Error(`not refused: ${String(error)}`);
    expect(error.status).toBe(status);
    expect(error.message).toMatch(text);
    expect(error.message).toContain("stream 'camera'");
  });

  it.each([
    'start',
    'stop',
    'reset',
    'pause',
    'resume',
    'resetConnection',
    'putFragmentMetadata',
  ] as const)('%s of a stream that is gone', async (call) => {
    stream.destroy();
    const calling = async (): Promise<unknown> =>
      call === 'putFragmentMetadata' ? stream[call]('a', 'b') : stream[call]();
    await expect(calling()).rejects.toMatchObject({ status: 'STATUS_INVALID_OPERATION' });
    await expect(calling()).rejects.toThrowError(/stream 'camera' is closed; create it again/);
  });

  it('tells of its health and gaps even when it is gone', () => {
    stream.destroy();
    expect(stream.health).toMatchObject({ condition: 'stopped', state: 'STOPPED', sessions: 0 });
    expect(stream.gaps).toEqual([]);
    expect(stream.state).toBe('STOPPED');
  });
});
