import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCredentialsFile, readCredentialsFile } from '../../../lib/cli/credentials-file.js';

describe('parseCredentialsFile', () => {
  it('reads keys, accounts and users', () => {
    const text = JSON.stringify({
      AKIAONE: { secretAccessKey: 's1', accountId: '111122223333', userName: 'ann' },
      AKIATWO: { secretAccessKey: 's2' },
    });
    expect(parseCredentialsFile(text, 'keys.json')).toEqual({
      AKIAONE: { secretAccessKey: 's1', accountId: '111122223333', userName: 'ann' },
      AKIATWO: { secretAccessKey: 's2', accountId: '123456789012' },
    });
  });

  it.each([
    ['no JSON', 'AKIAONE=secret', /keys\.json: it is not JSON/],
    ['a list', '[]', /it is not an object/],
    ['an empty object', '{}', /it names no access key/],
    [
      'a name that it does not know, which may have been meant to forbid something',
      '{"AKIAONE":{"secretAccessKey":"s","policy":[]}}',
      /'policy' of AKIAONE is none of secretAccessKey, accountId, userName, sessionToken, expiration, policies/,
    ],
    [
      'an end that is no time, which would never come',
      '{"AKIAONE":{"secretAccessKey":"s","expiration":"soon"}}',
      /expiration of AKIAONE is no time like 2026-12-31T23:59:59Z/,
    ],
    ['a key without a secret', '{"AKIAONE":{"accountId":"1"}}', /AKIAONE has no secretAccessKey/],
  ])('refuses %s, naming the file', (_what, text, words) => {
    expect(() => parseCredentialsFile(text, 'keys.json')).toThrow(words);
  });

  it('reads the token and the end of temporary keys', () => {
    const temporary = { sessionToken: 't', expiration: '2026-12-31T00:00:00Z' };
    const text = JSON.stringify({ ASIAONE: { secretAccessKey: 's', ...temporary } });
    const end = Date.UTC(2026, 11, 31);
    expect(parseCredentialsFile(text, 'keys.json')).toEqual({
      ASIAONE: {
        secretAccessKey: 's',
        accountId: '123456789012',
        sessionToken: 't',
        expiration: end,
      },
    });
  });

  it.skipIf(process.platform === 'win32')('is refused where others may read it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'kvs-credentials-'));
    const path = join(directory, 'keys.json');
    try {
      await writeFile(path, '{"AKIAONE":{"secretAccessKey":"s"}}', { mode: 0o600 });
      expect(Object.keys(await readCredentialsFile(path))).toEqual(['AKIAONE']);
      for (const mode of [0o644, 0o640, 0o602]) {
        await chmod(path, mode);
        await expect(readCredentialsFile(path)).rejects.toThrow(
          new RegExp(
            `keys.json may be used by others \\(mode ${mode.toString(8)}\\); chmod 600 it`,
          ),
        );
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('names a file that is not there', async () => {
    const words = /credentials file no-such\.json cannot be read/;
    await expect(readCredentialsFile('no-such.json')).rejects.toThrow(words);
  });
});
