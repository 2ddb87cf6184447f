import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadBinding } from '../../lib/native/index.js';
import { openSession } from './child/drive.cjs';

/** Where JavaScript reaches each function of kvs.h. */
const REACHED: Readonly<Record<string, string>> = {
  kvs_client_create: 'new NativeClient',
  kvs_client_free: 'NativeClient.close',
  kvs_client_step: 'NativeClient.step',
  kvs_client_deadline: 'NativeClient.deadline',
  kvs_client_answer: 'NativeClient.answer',
  kvs_client_get_metrics: 'NativeClient.metrics',
  kvs_client_check: 'NativeClient.check',
  kvs_stream_create: 'NativeClient.createStream',
  kvs_stream_id: 'NativeStream.id',
  kvs_stream_free: 'NativeStream.free',
  kvs_stream_put: 'NativeStream.put',
  kvs_stream_put_metadata: 'NativeStream.putMetadata',
  kvs_stream_put_event: 'NativeStream.putEvent',
  kvs_stream_format_changed: 'NativeStream.formatChanged',
  kvs_stream_answer: 'NativeStream.answer',
  kvs_stream_take: 'NativeStream.take',
  kvs_stream_parse_ack: 'NativeStream.parseAck',
  kvs_stream_session_ended: 'NativeStream.sessionEnded',
  kvs_stream_stop: 'NativeStream.stop',
  kvs_stream_start: 'NativeStream.start',
  kvs_stream_reset: 'NativeStream.reset',
  kvs_stream_reset_connection: 'NativeStream.resetConnection',
  kvs_stream_get_metrics: 'NativeStream.metrics',
  kvs_stream_last_refusal: 'NativeStream.lastRefusal',
};

/** Functions of kvs.h that JavaScript needs in no other form, and why. */
const WITHIN: Readonly<Record<string, string>> = {
  kvs_status_name: 'the text of thrown errors; lib/generated/status.ts has the table',
  kvs_client_next_event: 'the addon asks after each call, and events() gives what it heard',
  kvs_client_has_event: 'the same; the flags of each answer tell',
  kvs_stream_info_init: 'lib/producer has the defaults and fills in every field',
  kvs_stream_info_check: 'createStream throws its status',
  kvs_stream_ack: 'parseAck parses and calls the same code',
};

function namesInHeader(): string[] {
  const header = readFileSync(
    new URL('../../native/include/kvs/kvs.h', import.meta.url),
    'utf8',
  ).replace(/\/\*[\s\S]*?\*\//g, '');
  return [...header.matchAll(/KVS_API[^;()]*?\b(kvs_\w+)\s*\(/g)].map(([, name]) => name ?? '');
}

function methodsOf(object: object): string[] {
  return Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter(
    (name) => name !== 'constructor',
  );
}

describe('names', () => {
  it('every function of kvs.h is reached, and every name here is one of kvs.h', () => {
    const names = namesInHeader();
    expect(names.length).toBeGreaterThan(20);
    expect([...Object.keys(REACHED), ...Object.keys(WITHIN)].sort()).toEqual(names.sort());
  });

  it('the classes have these methods and no others, but events', () => {
    const { client, stream } = openSession(loadBinding().NativeClient);
    const found = [
      'new NativeClient',
      ...methodsOf(client).map((name) => `NativeClient.${name}`),
      ...methodsOf(stream).map((name) => `NativeStream.${name}`),
    ];
    expect(found.sort()).toEqual([...Object.values(REACHED), 'NativeClient.events'].sort());
    client.close();
  });

  it('the classes are the only exports', () => {
    expect(Object.keys(loadBinding())).toEqual(['NativeClient']);
  });
});
