import type { ServiceContext } from '../context.js';
import { ServiceError } from '../errors.js';
import { findMedia } from '../control/find-stream.js';
import type { Call, Handler } from '../http/front.js';
import type { StreamHub } from '../hub.js';
import { countMediaCall } from '../metrics/calls.js';
import { openDump, type BodyDump } from './dump.js';
import { checkQuota } from './room.js';
import { PutSession } from './session.js';
import { openSink } from './sink.js';
import { startTimeMs } from './start-time.js';
import { isError } from '../../base/values.js';

/** The newest, and the older one while it finishes its fragment. */
const MOST_PRODUCERS = 2;
/**
 * How long a third connection waits for one to leave, ms: a broken one is noticed when what it sent
 * has been read, and its client should not find a limit where there is none.
 */
const LEAVING = 1000;

/** Handler of PutMedia. @internal */
export function putMediaHandler(context: ServiceContext): Handler {
  return {
    kind: 'stream',
    run: (call) => countMediaCall(context, 'PutMedia', call, () => putMedia(context, call)),
  };
}

async function putMedia(context: ServiceContext, call: Call): Promise<void> {
  const { input, request, response } = call;
  if (input.string('StreamName') !== undefined && input.string('StreamARN') !== undefined) {
    throw new ServiceError(
      'InvalidArgumentException',
      'Specify either StreamName or StreamARN, not both',
    );
  }
  const { record } = findMedia(context, call);
  const timeBase = timeBaseOf(call);
  const hub = context.hubs.of(record.id);
  await checkQuota(context);
  await hub.lease.ready();
  await hub.fewerProducers(MOST_PRODUCERS, LEAVING);
  checkConnections(hub, record.name);
  const session = new PutSession({
    context,
    record,
    hub,
    openSink: () => openSink(context, call, record),
    request,
    response,
    decoder: call.decoder,
    acks: !['0', 'false'].includes(input.string('FragmentAcknowledgmentRequired') ?? '1'),
    client: call.source.address,
    timeBase,
    dump: dumpOf(context, record.name),
  });
  // Only now: a client that asked first sends no body to a service that refuses it.
  if (request.headers.expect !== undefined) response.writeContinue();
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  await session.run();
}

/** RELATIVE time codes count from the producer's start time. */
function timeBaseOf({ input, request }: Call): number {
  if (input.string('FragmentTimecodeType') === 'ABSOLUTE') return 0;
  const header = request.headers['x-amzn-producer-start-timestamp'];
  if (typeof header === 'string') return startTimeMs(header, request.headers['user-agent'] ?? '');
  throw new ServiceError(
    'InvalidArgumentException',
    "1 validation error detected: Value null at 'producerStartTimestamp' failed to satisfy " +
      'constraint: Member must not be null where time codes are RELATIVE',
  );
}

/** The newest connection is taken and ends the older one; a third has to wait for that. */
function checkConnections(hub: StreamHub, name: string): void {
  if (hub.producers < MOST_PRODUCERS) return;
  throw new ServiceError(
    'ConnectionLimitExceededException',
    `Stream ${name} has two PutMedia connections; the older one is being ended, try again.`,
  );
}

function dumpOf(context: ServiceContext, name: string): BodyDump | undefined {
  const { dump, log } = context.options;
  if (dump === undefined) return undefined;
  const warn = (message: string): void => {
    log('warn', message);
  };
  try {
    return openDump(dump, name, warn);
  } catch (error) {
    warn(`dump of ${name}: ${isError(error) ? error.message : String(error)}`);
    return undefined;
  }
}
