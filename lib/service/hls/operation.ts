import type { ServiceContext } from '../context.js';
import { findMedia } from '../control/find-stream.js';
import { ServiceError, type ServiceErrorName } from '../errors.js';
import { mediaSource } from '../get/session.js';
import type { Call, Handler } from '../http/front.js';
import { openReader } from '../media/reader.js';
import { KEY_ERRORS, type KeyError, type KeyErrorId } from '../keys/key-error.js';
import { meterOfCall } from '../metrics/calls.js';
import type { FragmentRecord, StreamRecord } from '../store/types.js';
import { checkPlayable, findShown } from './media.js';
import { readHlsRequest } from './request.js';
import { HLS_PATH } from './resources.js';
import type { HlsSessions } from './sessions.js';

const HOUR = 3_600_000;

/** Handler of GetHLSStreamingSessionURL. @internal */
export function hlsUrlHandler(context: ServiceContext, sessions: HlsSessions): Handler {
  return {
    kind: 'json',
    run: async (call) => {
      const { clock } = context.options;
      const began = clock.mono();
      const meter = meterOfCall(context, call);
      meter?.add('GetHLSStreamingSessionURL.Requests');
      let success = 0;
      try {
        const url = await beginSession(context, call, sessions);
        success = 1;
        return { HLSStreamingSessionURL: url };
      } finally {
        meter?.add('GetHLSStreamingSessionURL.Success', success);
        meter?.add('GetHLSStreamingSessionURL.Latency', clock.mono() - began);
      }
    },
  };
}

async function beginSession(
  context: ServiceContext,
  call: Call,
  sessions: HlsSessions,
): Promise<string> {
  const { record } = findMedia(context, call);
  context.rates.checkHlsSession(call, record.id);
  if (record.retentionHours === 0) {
    throw new ServiceError(
      'NoDataRetentionException',
      `Stream ${record.name} retains no data; HLS needs a DataRetentionInHours above 0.`,
    );
  }
  const now = context.options.clock.wall();
  const request = readHlsRequest(call.input, now, record.retentionHours * HOUR);
  const shown = await findShown(context.store.index, record, request, now);
  checkPlayable(await headerOf(context, call, record, shown));
  const token = await sessions.begin(record, request);
  const endpoint = context.endpointOf(call.source, 'GET_HLS_STREAMING_SESSION_URL');
  return `${endpoint}${HLS_PATH}getHLSMasterPlaylist.m3u8?SessionToken=${token}`;
}

async function headerOf(
  context: ServiceContext,
  call: Call,
  record: StreamRecord,
  fragment: FragmentRecord,
): Promise<Uint8Array> {
  const { refused, key } = await mediaSource(context, call, record);
  if (refused !== undefined) throw refusal(refused);
  const reader = openReader(context.store, record.id, key);
  try {
    return await reader.header(fragment);
  } finally {
    await reader.close();
  }
}

/** The guide has no exception of this operation for keys: these of its list come nearest. */
const KEY_EXCEPTIONS: Readonly<Record<KeyErrorId, ServiceErrorName>> = {
  4500: 'NotAuthorizedException',
  4501: 'InvalidArgumentException',
  4502: 'InvalidArgumentException',
  4503: 'ServiceUnavailable',
  4504: 'InvalidArgumentException',
  4505: 'InvalidArgumentException',
  4506: 'ResourceNotFoundException',
};

function refusal({ id }: KeyError): ServiceError {
  return new ServiceError(KEY_EXCEPTIONS[id], `${String(id)}: ${KEY_ERRORS[id]}`);
}
