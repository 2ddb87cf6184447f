import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CreateStreamCommand,
  KinesisVideoClient,
  ListStreamsCommand,
} from '@aws-sdk/client-kinesis-video';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWithKey, putOne } from '../lib/service/keys.js';

const KVS = fileURLToPath(new URL('../../dist/cli/kvs.js', import.meta.url));

describe.skipIf(!existsSync(KVS))('kvs serve (needs npm run build)', () => {
  let directory = '';
  let child: ChildProcess | undefined;
  let output = '';

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-serve-'));
  });
  afterEach(async () => {
    child?.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });

  function start(...args: readonly string[]): ChildProcess {
    output = '';
    const started = spawn(process.execPath, [
      ...[KVS, 'serve', '--port', '0', '--data-dir', join(directory, 'data')],
      ...args,
    ]);
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
      started.emit('output');
    };
    started.stdout.on('data', collect);
    started.stderr.on('data', collect);
    child = started;
    return started;
  }

  async function endpointOf(started: ChildProcess): Promise<string> {
    for (;;) {
      const endpoint = /KVS service at (\S+)\n[^]*Ctrl-C/.exec(output)?.[1];
      if (endpoint !== undefined) return endpoint;
      if (started.exitCode !== null) throw new Error(`it ended: ${output}`);
      await Promise.race([once(started, 'output'), once(started, 'exit')]);
    }
  }

  function client(endpoint: string, secretAccessKey: string): KinesisVideoClient {
    const credentials = { accessKeyId: 'AKIATEST', secretAccessKey };
    return new KinesisVideoClient({ endpoint, region: 'us-west-2', credentials, maxAttempts: 1 });
  }

  it.each(['SIGINT', 'SIGTERM'] as const)('serves until %s and then exits 0', async (signal) => {
    const started = start();
    const sdk = client(await endpointOf(started), 'any');
    await sdk.send(new CreateStreamCommand({ StreamName: 'porch', DataRetentionInHours: 1 }));
    const { StreamInfoList } = await sdk.send(new ListStreamsCommand({}));
    expect(StreamInfoList?.map((info) => info.StreamName)).toEqual(['porch']);
    started.kill(signal);
    expect(await once(started, 'exit'), output).toEqual([0, null]);
  });

  it('keeps its streams over a restart', async () => {
    const first = start();
    const command = new CreateStreamCommand({ StreamName: 'porch', DataRetentionInHours: 1 });
    await client(await endpointOf(first), 'any').send(command);
    first.kill('SIGTERM');
    await once(first, 'exit');
    const second = start();
    const { StreamInfoList } = await client(await endpointOf(second), 'any').send(
      new ListStreamsCommand({}),
    );
    expect(StreamInfoList?.length).toBe(1);
  });

  it('takes the keys of its credentials file and no other', async () => {
    const keys = join(directory, 'keys.json');
    const text = '{"AKIATEST":{"secretAccessKey":"right","accountId":"111122223333"}}';
    await writeFile(keys, text, { mode: 0o600 });
    const endpoint = await endpointOf(start('--credentials', keys));
    expect(output).toContain('Plain HTTP: others on the way can read what is sent. For HTTPS:\n');
    await expect(client(endpoint, 'right').send(new ListStreamsCommand({}))).resolves.toBeDefined();
    await expect(client(endpoint, 'wrong').send(new ListStreamsCommand({}))).rejects.toThrow(
      /signature/i,
    );
  });

  it('stores under the keys of kvs keys create, with which alone kvs fsck can read', async () => {
    const keyFile = join(directory, 'own-keys.json');
    const kvs = (...args: readonly string[]): SpawnSyncReturns<string> =>
      spawnSync(process.execPath, [KVS, ...args], { encoding: 'utf8' });
    const made = kvs('keys', 'create', keyFile, '--alias', 'alias/porch');
    expect(made.stdout).toMatch(/^[\da-f-]{36}\n$/);
    const started = start('--key-file', keyFile);
    const endpoint = await endpointOf(started);
    await createWithKey({ endpoint }, 'porch', 'alias/porch');
    expect(await putOne({ endpoint }, 'porch', 0)).toContain('PERSISTED 0');
    expect(kvs('keys', 'rotate', keyFile, made.stdout.trim()).stdout).toBe('2\n');
    expect(await putOne({ endpoint }, 'porch', 2000)).toContain('PERSISTED 2000');
    started.kill('SIGTERM');
    await once(started, 'exit');
    const data = join(directory, 'data');
    const without = kvs('fsck', data);
    expect([without.status, without.stdout]).toEqual([1, expect.stringMatching(/^stream porch: /)]);
    const checked = kvs('fsck', data, '--key-file', keyFile);
    expect(kvs('service', 'fsck', data, '--key-file', keyFile).stdout).toBe(checked.stdout);
    expect([checked.status, checked.stdout]).toEqual([0, expect.stringMatching(/^1 .* 0 faults/)]);
    expect(kvs('keys', 'create', keyFile, '--alias', 'alias/porch').stderr).toMatch(/two keys/);
  });

  it('says what is wrong and exits 1: no credentials off loopback, a port in use', async () => {
    const open = start('--host', '0.0.0.0');
    expect(await once(open, 'exit')).toEqual([1, null]);
    expect(output).toMatch(/^kvs: .*without credentials the service listens on loopback only/m);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const taken = start('--port', String(port));
    const exit = await once(taken, 'exit');
    other.close();
    expect(exit).toEqual([1, null]);
    expect(output).toMatch(new RegExp(`^kvs: .*${port}`, 'm'));
  });
});
