import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  defaultCredentials,
  fileCredentials,
  staticCredentials,
} from '../../../lib/providers/index.js';

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret/secret+' };

describe('staticCredentials', () => {
  it('answers what it was given', async () => {
    const expiration = new Date('2030-01-01T00:00:00Z');
    const given = { ...KEYS, sessionToken: 'token', expiration };
    await expect(staticCredentials(given)()).resolves.toEqual(given);
  });

  it.each([
    [{ ...KEYS, accessKeyId: '' }, 'STATUS_INVALID_AUTH_LEN', 'accessKeyId is empty'],
    [{ ...KEYS, secretAccessKey: '' }, 'STATUS_INVALID_AUTH_LEN', 'secretAccessKey is empty'],
    [{ ...KEYS, accessKeyId: 'AK ID' }, 'STATUS_INVALID_ARG', 'position 2 of 5'],
    [{ ...KEYS, sessionToken: 'a\n' }, 'STATUS_INVALID_ARG', 'sessionToken has a blank'],
    [{ ...KEYS, sessionToken: 'x'.repeat(10_000) }, 'STATUS_INVALID_AUTH_LEN', '10000'],
    [{ ...KEYS, expiration: new Date('never') }, 'STATUS_INVALID_TOKEN_EXPIRATION', 'not a date'],
  ])('refuses malformed ones, number %#, without telling the secret', (bad, status, text) => {
    expect(() => staticCredentials(bad)).toThrowError(expect.objectContaining({ status }));
    expect(() => staticCredentials(bad)).toThrowError(text);
    expect(() => staticCredentials(bad)).not.toThrowError(/secret\/secret/);
  });
});

/** Waits until a file's times are so long ago that a change would show in them. */
async function untilOld(path: string): Promise<void> {
  const { ctimeMs } = await stat(path);
  while (Date.now() - ctimeMs < 2100) await sleep(50);
}

describe('fileCredentials', () => {
  let folder = '';

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kvs-credentials-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it.each([
    [{ ...KEYS, sessionToken: 't', expiration: '2030-01-01T00:00:00Z' }],
    [
      {
        AccessKeyId: KEYS.accessKeyId,
        SecretAccessKey: KEYS.secretAccessKey,
        SessionToken: 't',
        Expiration: '2030-01-01T00:00:00Z',
      },
    ],
    [
      {
        credentials: {
          accessKeyId: KEYS.accessKeyId,
          secretAccessKey: KEYS.secretAccessKey,
          sessionToken: 't',
          expiration: '2030-01-01T00:00:00Z',
        },
      },
    ],
  ])('reads each of the three shapes, number %#', async (content) => {
    const path = join(folder, 'credentials.json');
    await writeFile(path, JSON.stringify(content));
    const expiration = new Date('2030-01-01T00:00:00Z');
    await expect(fileCredentials(path)()).resolves.toEqual({
      ...KEYS,
      sessionToken: 't',
      expiration,
    });
  });

  it('reads the file again when it has changed, and only then', async () => {
    const path = join(folder, 'credentials.json');
    const provider = fileCredentials(path);
    await writeFile(path, JSON.stringify(KEYS));
    await untilOld(path);
    const first = await provider();
    expect(await provider()).toBe(first);
    await writeFile(path, JSON.stringify({ ...KEYS, accessKeyId: 'AKIDROTATED' }));
    await utimes(path, 1, 1);
    expect((await provider()).accessKeyId).toBe('AKIDROTATED');
  });

  it('reads it again when the service refused what was read, and while it is young', async () => {
    const path = join(folder, 'credentials.json');
    const provider = fileCredentials(path);
    await writeFile(path, JSON.stringify(KEYS));
    // Twice within one tick of the file's times, and of one size: nothing tells that it has changed.
    const young = await provider();
    expect(await provider()).toEqual(young);
    expect(await provider()).not.toBe(young);
    await untilOld(path);
    const old = await provider();
    expect(await provider()).toBe(old);
    expect(await provider({ forceRefresh: true })).not.toBe(old);
  });

  it('rejects while the file is missing or broken, and recovers', async () => {
    const path = join(folder, 'credentials.json');
    const provider = fileCredentials(path);
    await expect(provider()).rejects.toMatchObject({
      status: 'STATUS_OPEN_FILE_FAILED',
      retryable: true,
    });
    await writeFile(path, '{ half');
    await expect(provider()).rejects.toMatchObject({ status: 'STATUS_FORMAT_ERROR' });
    await writeFile(path, '{"accessKeyId":"A"}');
    await expect(provider()).rejects.toMatchObject({ status: 'STATUS_INVALID_AUTH_LEN' });
    await writeFile(path, JSON.stringify(KEYS));
    await expect(provider()).resolves.toEqual(KEYS);
  });
});

describe('defaultCredentials', () => {
  const names = [
    ...['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_PROFILE'],
    ...['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE', 'AWS_EC2_METADATA_DISABLED'],
  ];
  const before = names.map((name) => [name, process.env[name]] as const);

  afterEach(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  it("finds the environment's keys", async () => {
    process.env['AWS_ACCESS_KEY_ID'] = 'AKIDFROMENV';
    process.env['AWS_SECRET_ACCESS_KEY'] = 'secret';
    delete process.env['AWS_SESSION_TOKEN'];
    expect((await defaultCredentials()()).accessKeyId).toBe('AKIDFROMENV');
  });

  it('reads shared files again when the service refused what they gave', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kvs-shared-'));
    try {
      for (const name of names) delete process.env[name];
      const path = join(folder, 'credentials');
      process.env['AWS_SHARED_CREDENTIALS_FILE'] = path;
      process.env['AWS_CONFIG_FILE'] = join(folder, 'config');
      process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
      const write = async (key: string): Promise<void> =>
        writeFile(path, `[default]\naws_access_key_id=${key}\naws_secret_access_key=secret\n`);
      await write('AKIDFIRST');
      const provider = defaultCredentials();
      expect((await provider()).accessKeyId).toBe('AKIDFIRST');
      await write('AKIDSECOND');
      expect((await provider({ forceRefresh: true })).accessKeyId).toBe('AKIDSECOND');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
