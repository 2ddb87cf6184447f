import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKey, fsck, rotateKey } from '../../../lib/service/index.js';
import { openWriter } from '../../../lib/service/media/writer.js';
import { openDiskStore } from '../../../lib/service/store/disk-store.js';
import { cluster, header } from '../../support/mkv.js';
import { createStream, getMedia, temporaryDirectory, withService } from './helpers.js';
import { KEY_ID, OLD, STORED, createWithKey, putOne, writeKeys } from './keys.js';
import { meta } from './store-contract.js';

let directory = '';
beforeEach(async () => {
  directory = await temporaryDirectory();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the key file of a new data directory', () => {
  it('is made for its owner alone, and kept', async () => {
    await withService({ dataDir: directory }, async (service) => {
      await createStream(service, 'cam');
      await putOne(service, 'cam', 0, Buffer.from('kept'));
    });
    const path = join(directory, 'master-keys.json');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, 'utf8');
    await withService({ dataDir: directory }, async (service) => {
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 1);
      expect(media.includes('kept')).toBe(true);
    });
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('is not replaced by a new one when it has gone', async () => {
    await withService({ dataDir: directory }, async (service) => {
      await createStream(service, 'cam');
      await putOne(service, 'cam', 0);
    });
    await rm(join(directory, 'master-keys.json'));
    const start = withService({ dataDir: directory }, () => Promise.resolve());
    await expect(start).rejects.toThrow(/master-keys\.json is missing; what its keys protect/);
  });

  it.runIf(process.platform !== 'win32')('is refused when others may read it', async () => {
    const keyFile = await writeKeys(directory, {});
    await chmod(keyFile, 0o644);
    const start = withService({ keyFile }, () => Promise.resolve());
    await expect(start).rejects.toThrow(/may be used by others \(mode 644\); chmod 600 it/);
  });

  it('comes to a directory without encryption, which stays readable', async () => {
    const record = {
      id: 1,
      account: '000000000000',
      name: 'cam',
      creationTime: 1,
      retentionHours: 87_600,
      version: 'v',
      tags: {},
    };
    const store = await openDiskStore({ directory, fsync: 'group' });
    await store.catalog.newStreamId();
    await store.catalog.putStream(record, undefined);
    const writer = await openWriter(store, 1);
    const lease = store.live.lease(1);
    await lease.ready();
    const number = lease.openNumber(Date.now());
    const described = { ...meta(1), number, serverTime: Date.now() };
    writer.begin(header(), described.number);
    writer.append(cluster(0, [{ time: 0, data: Buffer.from('as it was sent') }]));
    await writer.commit(described, new Uint8Array(), 'flushed');
    await writer.close();
    await store.close();
    await withService({ dataDir: directory }, async (service) => {
      expect(await putOne(service, 'cam', 5000, Buffer.from('sealed'))).toContain('PERSISTED 5000');
      const media = await getMedia(service, 'cam', { StartSelectorType: 'EARLIEST' }, 2);
      expect([media.includes('as it was sent'), media.includes('sealed')]).toEqual([true, true]);
    });
    const files = await readFile(join(directory, 'media', '1', '0000000001.media'));
    expect([files.includes('as it was sent'), files.includes('sealed')]).toEqual([true, false]);
    expect(await fsck(directory)).toMatchObject({ fragments: 2, faults: [] });
  });
});

describe('createKey and rotateKey', () => {
  it('make keys that a service uses', async () => {
    const keyFile = join(directory, 'made.json');
    const id = await createKey(keyFile, { aliases: ['alias/door'] });
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
    await withService({ keyFile }, async (service) => {
      await createWithKey(service, 'door', 'alias/door');
      await createStream(service, 'plain');
      expect(await putOne(service, 'door', 0)).toEqual(STORED);
      expect(await putOne(service, 'plain', 0)).toEqual(STORED);
      await createWithKey(service, 'late', 'alias/late');
      await createKey(keyFile, { aliases: ['alias/late'] });
      expect(await putOne(service, 'late', 0)).toEqual(STORED);
      expect(await rotateKey(keyFile, id)).toBe(2);
      expect(await putOne(service, 'door', 2000)).toContain('PERSISTED 2000');
    });
  });

  it('refuse what would not be understood, and change nothing then', async () => {
    const keyFile = await writeKeys(directory, { aliases: ['alias/door'] });
    const before = await readFile(keyFile, 'utf8');
    const refused = async (made: Promise<unknown>, words: RegExp): Promise<void> => {
      await expect(made).rejects.toThrow(words);
      expect(await readFile(keyFile, 'utf8')).toBe(before);
    };
    await refused(createKey(keyFile, { keyId: KEY_ID }), /has a key .* already/);
    await refused(createKey(keyFile, { keyId: 'a b' }), /'a b' is no key id/);
    await refused(createKey(keyFile, { aliases: ['door'] }), /list of alias\/NAME/);
    await refused(createKey(keyFile, { aliases: ['alias/door'] }), /alias of two keys/);
    await refused(createKey(keyFile, { accountId: '12' }), /twelve digits/);
    await refused(rotateKey(keyFile, 'nobody'), /has no key nobody/);
  });

  it.each([
    ['{', /not JSON/],
    ['[]', /not \{"version": 1/],
    ['{"version": 2, "keys": {}}', /not \{"version": 1/],
    [`{"version": 1, "keys": {"a": {"stat": "Disabled", "versions": {"1": "${OLD}"}}}}`, /'stat'/],
    [`{"version": 1, "keys": {"a": {"state": "Off", "versions": {"1": "${OLD}"}}}}`, /state of/],
    [`{"version": 1, "keys": {"a": {"usage": "X", "versions": {"1": "${OLD}"}}}}`, /usage of/],
    ['{"version": 1, "keys": {"a": {}}}', /has no versions/],
    [`{"version": 1, "keys": {"a": {"versions": {"x": "${OLD}"}}}}`, /version 'x'/],
    ['{"version": 1, "keys": {"a": {"versions": {"1": "c2hvcnQ="}}}}', /not 32 bytes/],
  ])('a service refuses the key file %s', async (text, words) => {
    const keyFile = join(directory, 'bad.json');
    await writeFile(keyFile, text, { mode: 0o600 });
    const start = withService({ keyFile }, () => Promise.resolve());
    await expect(start).rejects.toThrow(words);
    await expect(start).rejects.not.toThrow(/c2hvcnQ=/);
  });
});
