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
      /'policy' of AKIAONE is none of secretAccessKey, accountId, userName, policies/,
    ],
    ['a key without a secret', '{"AKIAONE":{"accountId":"1"}}', /AKIAONE has no secretAccessKey/],
  ])('refuses %s, naming the file', (_what, text, words) => {
    expect(() => parseCredentialsFile(text, 'keys.json')).toThrow(words);
  });

  it('names a file that is not there', async () => {
    const words = /credentials file no-such\.json cannot be read/;
    await expect(readCredentialsFile('no-such.json')).rejects.toThrow(words);
  });
});
