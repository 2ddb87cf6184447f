import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { npmCli } from './npm.js';
import { PRODUCER, WITH_SERVICE } from './programs.js';
import { PackageTrial, isOffline, succeed } from './user.js';

const LIMIT = 900_000;

/** Package managers that block install scripts by default; where each has its program. */
const CLIENTS = [
  { name: 'npm 12', from: 'npm@12', program: 'npm/bin/npm-cli.js', command: 'install' },
  { name: 'pnpm 10', from: 'pnpm@10', program: 'pnpm/bin/pnpm.cjs', command: 'add' },
] as const;

// Each is fetched first, which takes a while: asked for by the build server.
const wanted = process.env['KVS_PREBUILDS'] === '1' && npmCli() !== undefined;

describe.skipIf(!wanted)('the package by other package managers (with KVS_PREBUILDS=1)', () => {
  const trial = new PackageTrial();

  beforeAll(() => {
    trial.pack();
  }, LIMIT);
  afterAll(() => {
    trial.remove();
  });

  it.for(CLIENTS)('$name installs it, and it streams', { timeout: LIMIT }, (client, context) => {
    const tools = `tools-${client.program.split('/').at(0) ?? ''}`;
    const fetched = trial.install(tools, client.from);
    if (isOffline(fetched)) return context.skip('no registry can be reached');
    succeed(fetched);
    const project = `user-${tools}`;
    const folder = join(trial.folder, project);
    mkdirSync(folder);
    trial.write(`${project}/package.json`, '{ "name": "user", "version": "1.0.0" }\n');
    const program = join(trial.folder, tools, 'node_modules', client.program);
    succeed(trial.node(folder, program, client.command, trial.tarball));
    trial.write(`${project}/producer.mjs`, PRODUCER);
    const upload = trial.write(`${project}/with-service.mjs`, WITH_SERVICE);
    expect(succeed(trial.node(folder, upload)).match(/^PERSISTED$/gm)).toHaveLength(2);
  });
});
