/** Where bytes come from: a Node or Web stream, an SDK payload, an array of chunks. */
export type ByteSource =
  AsyncIterable<Uint8Array> | Iterable<Uint8Array> | ReadableStream<Uint8Array>;

interface Step {
  readonly done?: boolean | undefined;
  readonly value?: Uint8Array | undefined;
}

/** A source opened for reading; `close` ends it at once, even while a `next` waits. */
interface OpenSource {
  next(): Promise<Step> | Step;
  close(): void;
}

/**
 * The chunks of `source`; an abort ends a wait at once with the signal's reason. The source is
 * closed when the loop is left before its end.
 * @internal
 */
export async function* abortable(
  source: ByteSource,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const open = openSource(source);
  let running = true;
  try {
    for (;;) {
      const step = await unlessAborted(() => open.next(), signal);
      if (step.done === true) {
        running = false;
        return;
      }
      if (step.value !== undefined) yield step.value;
    }
  } finally {
    if (running) open.close();
  }
}

/** Web streams are read through a reader: not every browser can iterate over them. */
function openSource(source: ByteSource): OpenSource {
  if (source instanceof ReadableStream) {
    const reader = source.getReader();
    return { next: () => reader.read(), close: () => ignore(reader.cancel()) };
  }
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  return {
    next: () => iterator.next(),
    // A Node stream's iterator would close it only when a next that waits has been answered.
    close: () => {
      if (isNodeStream(source)) {
        // What goes wrong in a stream that nobody reads any more is nobody's concern.
        source.on('error', () => undefined);
        source.destroy();
      } else ignore(iterator.return?.());
    },
  };
}

interface NodeStream {
  on(event: 'error', listener: () => void): unknown;
  destroy(): unknown;
}

function isNodeStream(source: object): source is NodeStream {
  const destroyable = 'destroy' in source && typeof source.destroy === 'function';
  return destroyable && 'on' in source && typeof source.on === 'function';
}

/** Not awaited: a source that hangs would hold the abort back. */
function ignore(closing: unknown): void {
  void Promise.resolve(closing).catch(() => undefined);
}

/** A listener for each wait, removed after it: a signal may outlive many chunks. */
async function unlessAborted<T>(
  start: () => T | Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return start();
  signal.throwIfAborted();
  let stop: () => void = () => undefined;
  const aborted = new Promise<'aborted'>((resolve) => {
    stop = () => resolve('aborted');
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    const started = Promise.resolve(start()).then((value) => ({ value }));
    const first = await Promise.race([started, aborted]);
    if (first !== 'aborted') return first.value;
    started.catch(() => undefined);
    throw signal.reason;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
