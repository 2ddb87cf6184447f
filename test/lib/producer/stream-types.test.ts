// What the type checker says of a stream: each line below `@ts-expect-error` must not compile.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expectTypeOf, it } from 'vitest';
import type {
  FragmentAck,
  Frame,
  KinesisVideoProducer,
  KinesisVideoStream,
  KvsError,
  StreamHealth,
} from '../../../lib/index.js';

it('events have types, and a misspelt one does not compile', () => {
  expectTypeOf((stream: KinesisVideoStream) => {
    stream.on('fragmentAckReceived', (ack) => {
      expectTypeOf(ack).toEqualTypeOf<FragmentAck>();
    });
    stream.once('health', (health) => {
      expectTypeOf(health).toEqualTypeOf<StreamHealth>();
    });
    stream.on('frameRefused', (error, frame) => {
      expectTypeOf(error).toEqualTypeOf<KvsError>();
      expectTypeOf(frame).toEqualTypeOf<Frame>();
    });
    stream.on('error', (error) => {
      expectTypeOf(error).toEqualTypeOf<Error>();
    });
    // @ts-expect-error there is no such event
    stream.on('fragmentAckRecieved', () => undefined);
    // @ts-expect-error an ack has no such field
    stream.on('fragmentAckReceived', (ack) => ack.number);
  }).toBeFunction();
});

it('only frames are written', () => {
  expectTypeOf((stream: KinesisVideoStream, frame: Frame) => {
    stream.write(frame);
    stream.write(frame, () => undefined);
    // @ts-expect-error bytes are no frame
    stream.write(new Uint8Array(3));
    // @ts-expect-error text is no frame
    stream.write('text');
    return pipeline(Readable.from([frame]), stream);
  }).toBeFunction();
});

it('a callback gets the stream itself', () => {
  expectTypeOf((producer: KinesisVideoProducer) =>
    producer.createStream({
      callbacks: {
        streamReady(_report, stream) {
          expectTypeOf(stream).toEqualTypeOf<KinesisVideoStream>();
        },
      },
    }),
  ).toBeFunction();
});
