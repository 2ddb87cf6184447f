import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';

interface Answer {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Debian's chromium without a window, spoken to over pipes in its own protocol. */
export class Browser {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #answers = new Map<number, Answer>();
  #sent = 0;

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
    let rest = '';
    this.#pipe(4).on('data', (bytes: Buffer) => {
      const messages = (rest + bytes.toString()).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages) this.#take(JSON.parse(message));
    });
    child.once('exit', (code) => {
      this.#failAll(new Error(`chromium ended with exit code ${String(code)}`));
    });
  }

  /** Starts a browser with a profile of its own. */
  static async open(): Promise<Browser> {
    const profile = await mkdtemp(join(tmpdir(), 'kvs-browser-'));
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'];
    const where = [`--user-data-dir=${profile}`, '--remote-debugging-pipe'];
    const child = spawn('chromium', [...flags, ...where, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    return new Browser(child, profile);
  }

  /** Opens an address in a page of its own. */
  async page(address: string): Promise<Page> {
    const target = await this.call('Target.createTarget', { url: 'about:blank' });
    const targetId = text(target, 'targetId');
    const session = await this.call('Target.attachToTarget', { targetId, flatten: true });
    const sessionId = text(session, 'sessionId');
    // Answered when the page is there, so that nothing is evaluated in the blank one.
    await this.call('Page.navigate', { url: address }, sessionId);
    return new Page(this, sessionId, targetId);
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill();
    await gone;
    await rm(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  /** One command of the protocol. */
  call(method: string, params: object, sessionId?: string): Promise<unknown> {
    this.#sent += 1;
    const id = this.#sent;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#answers.set(id, { resolve, reject });
    });
    this.#pipe(3).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return answer;
  }

  #take(message: unknown): void {
    const answer = this.#answers.get(Number(field(message, 'id')));
    if (answer === undefined) return;
    this.#answers.delete(Number(field(message, 'id')));
    const error = field(message, 'error');
    if (error === undefined) answer.resolve(field(message, 'result'));
    else answer.reject(new Error(JSON.stringify(error)));
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#answers.values()) reject(error);
    this.#answers.clear();
  }

  #pipe(descriptor: 3 | 4): Duplex {
    const pipe: unknown = this.#child.stdio[descriptor];
    if (isDuplex(pipe)) return pipe;
    throw new TypeError(`chromium has no pipe ${descriptor}`);
  }
}

/** One page of a browser. */
export class Page {
  readonly #browser: Browser;
  readonly #session: string;
  readonly #target: string;

  constructor(browser: Browser, session: string, target: string) {
    this.#browser = browser;
    this.#session = session;
    this.#target = target;
  }

  /** The value of an expression in the page; of a promise, what it comes to. */
  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const answer = await this.#browser.call('Runtime.evaluate', options, this.#session);
    const fault = field(answer, 'exceptionDetails');
    if (fault !== undefined) throw new Error(JSON.stringify(fault));
    return field(field(answer, 'result'), 'value');
  }

  /** A picture of the page, PNG. */
  async screenshot(): Promise<Buffer> {
    const answer = await this.#browser.call('Page.captureScreenshot', {}, this.#session);
    return Buffer.from(text(answer, 'data'), 'base64');
  }

  async close(): Promise<void> {
    await this.#browser.call('Target.closeTarget', { targetId: this.#target });
  }
}

function isDuplex(value: unknown): value is Duplex & Readable {
  return typeof value === 'object' && value !== null && 'write' in value && 'on' in value;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function text(value: unknown, name: string): string {
  return String(field(value, name));
}
