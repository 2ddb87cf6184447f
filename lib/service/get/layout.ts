import { KVS_TAG, MKV_ID, writeHeader } from '../../parser/index.js';
import type { FragmentRecord } from '../store/types.js';

/* The Tags that the service adds to media: sizes of 4 bytes, no Targets, as the service of AWS
   writes them. */

const SIZE_BYTES = 4;

/** Pairs of tag name and value. @internal */
export type TagPairs = readonly (readonly [string, string])[];

/** One Tags element with these tags. @internal */
export function tagsElement(pairs: TagPairs): Uint8Array {
  const tags = pairs.map(([name, value]) =>
    element(MKV_ID.SIMPLE_TAG, 2, [
      element(MKV_ID.TAG_NAME, 2, [Buffer.from(name)]),
      element(MKV_ID.TAG_STRING, 2, [Buffer.from(value)]),
    ]),
  );
  return element(MKV_ID.TAGS, 4, [element(MKV_ID.TAG, 2, tags)]);
}

/** Seconds with three decimals. @internal */
export function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** Before a Cluster of GetMedia: which fragment it is. @internal */
export function fragmentTags(record: FragmentRecord): TagPairs {
  return [
    [KVS_TAG.FRAGMENT_NUMBER, record.number.toString()],
    [KVS_TAG.SERVER_TIMESTAMP, seconds(record.serverTime)],
    [KVS_TAG.PRODUCER_TIMESTAMP, seconds(record.producerTime)],
  ];
}

/** Behind a Cluster of GetMedia: where the reader stands. @internal */
export function positionTags(record: FragmentRecord, millisBehind: number): TagPairs {
  return [
    [KVS_TAG.MILLIS_BEHIND_NOW, String(millisBehind)],
    [KVS_TAG.CONTINUATION_TOKEN, record.number.toString()],
  ];
}

/** Why GetMedia ends. @internal */
export function errorTags(id: number, code: string): TagPairs {
  return [
    [KVS_TAG.ERROR_CODE, code],
    [KVS_TAG.ERROR_ID, String(id)],
  ];
}

/** Before a Cluster of GetMediaForFragmentList; the guide names its times otherwise. @internal */
export function listedFragmentTags(record: FragmentRecord): TagPairs {
  return [
    [KVS_TAG.FRAGMENT_NUMBER, record.number.toString()],
    ['AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP', seconds(record.serverTime)],
    ['AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP', seconds(record.producerTime)],
  ];
}

/** In place of a fragment that GetMediaForFragmentList cannot give. @internal */
export function exceptionTags(number: string, id: number, message: string): TagPairs {
  return [
    [KVS_TAG.FRAGMENT_NUMBER, number],
    ['AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE', String(id)],
    ['AWS_KINESISVIDEO_EXCEPTION_MESSAGE', message],
  ];
}

function element(id: number, idBytes: number, parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([writeHeader(id, size, idBytes + SIZE_BYTES), ...parts]);
}
