// node sink.mjs DIRECTORY FLUSH_MS: a bare HTTP server that writes each body to a file and flushes
// the files every FLUSH_MS; answers when it has everything, and nothing else.
import { createWriteStream, fdatasync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';

const [directory, flushText] = process.argv.slice(2);
const flush = promisify(fdatasync);
const files = new Set();
let count = 0;

const server = createServer({ requestTimeout: 0 }, (request, response) => {
  count += 1;
  response.writeHead(200);
  response.flushHeaders();
  const file = createWriteStream(join(directory, `${count}.bin`), { autoClose: false });
  file.on('open', () => files.add(file));
  request.pipe(file);
  file.on('finish', async () => {
    files.delete(file);
    await flush(file.fd);
    file.close();
    response.end();
  });
});

let running = false;
const timer = setInterval(async () => {
  if (running) return;
  running = true;
  await Promise.all([...files].map((file) => flush(file.fd).catch(() => undefined)));
  running = false;
}, Number(flushText));

server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
process.stdin.resume().on('end', () => {
  clearInterval(timer);
  server.close();
  server.closeAllConnections();
  console.log('{}');
});
