// node serve.mjs DATA_DIR: a service without limits, until standard input ends.
import { startService } from '../../dist/service/index.js';

let flushes = 0;
const service = await startService({
  dataDir: process.argv[2],
  limits: 'off',
  log: (level, message, detail) => {
    if (level === 'error') console.error(message, detail);
    if (message === 'closed') flushes = detail.flushes;
  },
});
console.log(service.endpoint);
process.stdin.resume().on('end', async () => {
  await service.close();
  console.log(JSON.stringify({ flushes }));
});
