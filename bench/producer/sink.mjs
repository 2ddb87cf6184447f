// A service that keeps nothing: answers the control plane, parses what PutMedia brings, and
// acknowledges each fragment as persisted when it is whole. Runs as a process of its own:
//   node bench/producer/sink.mjs KEY CERT      prints its endpoint
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { FragmentScanner } from './scanner.mjs';

const [, , keyFile, certFile] = process.argv;
const server = createServer({ key: readFileSync(keyFile), cert: readFileSync(certFile) });

function putMedia(request, answer) {
  answer.flushHeaders();
  const scanner = new FragmentScanner((time) => {
    const ack = (EventType) =>
      JSON.stringify({ EventType, FragmentTimecode: time, FragmentNumber: String(time) });
    answer.write(`${ack('BUFFERING')}\r\n${ack('RECEIVED')}\r\n${ack('PERSISTED')}\r\n`);
  });
  request.on('data', (bytes) => scanner.push(bytes));
  request.on('end', () => answer.end());
  request.on('error', () => answer.destroy());
}

function control(request, answer) {
  request.resume();
  request.on('end', () => {
    const endpoint = `https://127.0.0.1:${server.address().port}`;
    const info = { StreamARN: 'arn:aws:kinesisvideo:x:1:stream/s/1', Status: 'ACTIVE' };
    const body =
      request.url === '/describeStream'
        ? { StreamInfo: { ...info, DataRetentionInHours: 1 } }
        : { DataEndpoint: endpoint };
    answer.end(JSON.stringify(body));
  });
}

server.on('request', (request, answer) =>
  request.url === '/putMedia' ? putMedia(request, answer) : control(request, answer),
);
server.listen(0, '127.0.0.1', () => console.log(`https://127.0.0.1:${server.address().port}`));
