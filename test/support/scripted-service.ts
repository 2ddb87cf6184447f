import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import {
  MKV_ID,
  parseBlock,
  readString,
  readUint,
  StreamingMkvReader,
  type MkvEvent,
} from '../../lib/parser/index.js';
import { frameIndex } from './frames.js';

/** A fragment as it came in. */
export interface ReceivedFragment {
  /** Number of the PutMedia call, from 1. */
  readonly session: number;
  /** Cluster time, ms. */
  readonly timecode: number;
  /** Numbers of its synthetic frames. */
  readonly frames: number[];
  /** Fragment metadata: names and values. */
  readonly tags: Map<string, string>;
}

/** Says a fragment's acks, one JSON text each, when it is whole. */
export type AckScript = (fragment: ReceivedFragment, nth: number) => readonly string[];

/** An ack as the service writes it. */
export function ack(type: string, timecode: number, more: object = {}): string {
  const fields = { EventType: type, FragmentTimecode: timecode, FragmentNumber: String(timecode) };
  return `${JSON.stringify({ ...fields, ...more })}\r\n`;
}

/** What a service does when all is well. */
export function allWell({ timecode }: ReceivedFragment): readonly string[] {
  return ['BUFFERING', 'RECEIVED', 'PERSISTED'].map((type) => ack(type, timecode));
}

/** How a scripted service is reached. */
export interface ScriptedOptions {
  readonly tls?: { readonly key: string; readonly cert: string; readonly host: string };
  readonly port?: number;
}

/**
 * The wire side of a service whose acks a test decides. It keeps nothing and checks nothing: what
 * a real one does is tested against the real one.
 */
export class ScriptedService {
  readonly endpoint: string;
  readonly fragments: ReceivedFragment[] = [];
  script: AckScript = allWell;
  /** What DescribeStream says. */
  retentionHours: number = 1;
  /** PutMedia calls so far. */
  sessions: number = 0;
  /** Bodies that ended with their terminating chunk. */
  ended: number = 0;
  /** Calls by path. */
  readonly calls: Map<string, number> = new Map();
  /** User agents of all calls. */
  readonly userAgents: Set<string> = new Set();
  /** Headers of the PutMedia calls. */
  readonly headers: IncomingMessage['headers'][] = [];
  readonly #server: Server;

  private constructor(server: Server, endpoint: string) {
    this.#server = server;
    this.endpoint = endpoint;
  }

  /**
   * Over TLS where `tls` is given, and then under the name `host`. On a port of its own, or the one of
   * a service that was closed.
   */
  static async start(options: ScriptedOptions = {}): Promise<ScriptedService> {
    const { tls, port = 0 } = options;
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new TypeError('not a TCP server');
    const origin = tls === undefined ? 'http://127.0.0.1' : `https://${tls.host}`;
    const service = new ScriptedService(server, `${origin}:${address.port}`);
    server.on('request', (request, answer) => {
      const path = request.url ?? '';
      service.userAgents.add(request.headers['user-agent'] ?? '');
      service.calls.set(path, (service.calls.get(path) ?? 0) + 1);
      if (path === '/putMedia') service.#putMedia(request, answer);
      else service.#control(request, answer);
    });
    return service;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #control(request: IncomingMessage, answer: ServerResponse): void {
    request.resume();
    request.once('end', () => {
      const StreamInfo = {
        StreamARN: 'arn:aws:kinesisvideo:us-west-2:1:stream/scripted/1',
        Status: 'ACTIVE',
        DataRetentionInHours: this.retentionHours,
      };
      const described = request.url === '/describeStream';
      answer.end(JSON.stringify(described ? { StreamInfo } : { DataEndpoint: this.endpoint }));
    });
  }

  #putMedia(request: IncomingMessage, answer: ServerResponse): void {
    this.sessions += 1;
    this.headers.push(request.headers);
    answer.flushHeaders();
    const collector = new FragmentCollector(this.sessions, (fragment) => {
      this.fragments.push(fragment);
      for (const text of this.script(fragment, this.fragments.length)) answer.write(text);
    });
    request.on('data', (bytes: Uint8Array) => {
      collector.push(bytes);
    });
    request.on('end', () => {
      this.ended += 1;
      answer.end();
    });
    request.on('error', () => answer.destroy());
  }
}

const END_OF_FRAGMENT = 'AWS_KINESISVIDEO_END_OF_FRAGMENT';

/** Finds fragments in a body; one is whole at the next Cluster and at END_OF_FRAGMENT. */
class FragmentCollector {
  readonly #reader = new StreamingMkvReader();
  readonly #session: number;
  readonly #whole: (fragment: ReceivedFragment) => void;
  #open: ReceivedFragment | undefined;
  #tagName = '';
  /** Of the fragment that comes: its tags stand before its Cluster. */
  #tags = new Map<string, string>();

  constructor(session: number, whole: (fragment: ReceivedFragment) => void) {
    this.#session = session;
    this.#whole = whole;
  }

  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    for (let event = this.#reader.next(); event !== undefined; event = this.#reader.next()) {
      this.#take(event);
    }
  }

  #take(event: MkvEvent): void {
    if (event.kind === 'masterStart' && event.id === MKV_ID.CLUSTER) this.#end();
    if (event.kind !== 'element') return;
    if (event.id === MKV_ID.TIMESTAMP) {
      const timecode = readUint(event.data);
      this.#open = { session: this.#session, timecode, frames: [], tags: this.#tags };
      this.#tags = new Map();
    } else if (event.id === MKV_ID.SIMPLE_BLOCK) {
      const frame = parseBlock(event.data).frames[0];
      if (frame !== undefined) this.#open?.frames.push(frameIndex(frame));
    } else if (event.id === MKV_ID.TAG_NAME) {
      this.#tagName = readString(event.data);
      if (this.#tagName === END_OF_FRAGMENT) this.#end();
    } else if (event.id === MKV_ID.TAG_STRING && this.#tagName !== END_OF_FRAGMENT) {
      this.#tags.set(this.#tagName, readString(event.data));
    }
  }

  #end(): void {
    const whole = this.#open;
    this.#open = undefined;
    if (whole !== undefined) this.#whole(whole);
  }
}
