// Prints, as JSON, what importing the package's entry argv[2] costs: milliseconds, and (with
// `list`) every file that was loaded for it.
import { createRequire, register } from 'node:module';
import { MessageChannel } from 'node:worker_threads';

const [, , entry, mode] = process.argv;

async function timed() {
  const start = performance.now();
  await import(entry);
  return { ms: performance.now() - start };
}

/** ES modules are told by a loader hook, CommonJS ones are in require's cache. */
async function listed() {
  const { port1, port2 } = new MessageChannel();
  const files = [];
  port1.on('message', (url) => files.push(url));
  const hook = `
    let port;
    export function initialize(data) { port = data; }
    export async function load(url, context, next) {
      port.postMessage(url);
      return next(url, context);
    }`;
  register(`data:text/javascript,${encodeURIComponent(hook)}`, {
    data: port2,
    transferList: [port2],
  });
  await import(entry);
  const { _cache } = createRequire(import.meta.url)('node:module');
  // Messages of the loader's thread come in order and before the import is done, but for one turn.
  await new Promise((resolve) => setImmediate(resolve));
  port1.close();
  return { files: [...new Set([...files, ...Object.keys(_cache)])] };
}

console.log(JSON.stringify(await (mode === 'list' ? listed() : timed())));
