import { connect, type Socket } from 'node:net';

export interface Ack {
  readonly EventType: string;
  readonly FragmentTimecode?: number;
  readonly FragmentNumber?: string;
  readonly ErrorId?: number;
  readonly ErrorCode?: string;
}

/** A PutMedia call over a bare socket, so that tests decide every byte and when it is sent. */
export class RawPutMedia {
  readonly acks: Ack[] = [];
  /** Status line and headers of the answer, once they have come. */
  head = '';
  /** Whether the answer has ended. */
  ended = false;
  /** Whether the connection is gone. */
  closed = false;
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #body = '';
  #waiters: (() => void)[] = [];

  constructor(endpoint: string, headers: Readonly<Record<string, string>>) {
    const { hostname, port } = new URL(endpoint);
    this.#socket = connect(Number(port), hostname);
    this.#socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#parse();
      this.#wake();
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
    const lines = Object.entries({ Host: hostname, 'transfer-encoding': 'chunked', ...headers });
    this.#socket.write(
      `POST /putMedia HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
    );
  }

  /** Sends bytes as one HTTP chunk. */
  send(...parts: readonly Uint8Array[]): void {
    const bytes = Buffer.concat(parts);
    this.raw(Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n'));
  }

  /** Sends bytes as they are. */
  raw(...parts: readonly Uint8Array[]): void {
    this.#socket.write(Buffer.concat(parts));
  }

  /** Ends the body. */
  end(): void {
    this.#socket.write('0\r\n\r\n');
  }

  /** Cuts the connection. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Resolves when `done` holds; rejects when the connection ends first. */
  async until(done: (put: this) => boolean): Promise<void> {
    while (!done(this)) {
      if (this.closed)
        throw new Error(`closed; head: ${this.head} acks: ${JSON.stringify(this.acks)}`);
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  async untilEnded(): Promise<void> {
    while (!this.ended && !this.closed) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** Acks as `TYPE timecode`. */
  summary(): string[] {
    return this.acks.map(({ EventType, FragmentTimecode, ErrorId }) =>
      [EventType, FragmentTimecode, ErrorId].filter((part) => part !== undefined).join(' '),
    );
  }

  count(type: string): number {
    return this.acks.filter((ack) => ack.EventType === type).length;
  }

  get status(): number {
    return Number(this.head.split(' ')[1] ?? 0);
  }

  /** The body of an answer that is not chunked. */
  get text(): string {
    return this.#body;
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  #parse(): void {
    while (this.head === '' || this.head.includes(' 100 ')) {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.#received.subarray(0, end).toString();
      this.#received = this.#received.subarray(end + 4);
    }
    if (!/transfer-encoding: chunked/i.test(this.head)) {
      this.#body += this.#received.toString();
      this.#received = Buffer.alloc(0);
      const length = /content-length: (\d+)/i.exec(this.head)?.[1];
      this.ended = length !== undefined && Buffer.byteLength(this.#body) >= Number(length);
      return;
    }
    for (;;) {
      const line = this.#received.indexOf('\r\n');
      if (line < 0) return;
      const size = Number.parseInt(this.#received.subarray(0, line).toString(), 16);
      if (this.#received.length < line + 2 + size + 2) return;
      this.#take(this.#received.subarray(line + 2, line + 2 + size).toString());
      this.#received = this.#received.subarray(line + 4 + size);
      if (size === 0) this.ended = true;
    }
  }

  #take(textPart: string): void {
    this.#body += textPart;
    const lines = this.#body.split('\r\n');
    this.#body = lines.pop() ?? '';
    for (const line of lines) this.acks.push(parseAck(line));
  }
}

function parseAck(line: string): Ack {
  const value: unknown = JSON.parse(line);
  if (isAck(value)) return value;
  throw new Error(`not an ack: ${line}`);
}

function isAck(value: unknown): value is Ack {
  return typeof value === 'object' && value !== null && 'EventType' in value;
}
