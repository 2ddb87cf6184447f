import { KvsError } from '../../base/errors.js';
import type { ServiceLog } from '../options.js';
import { readPrivate, writePrivate } from '../private-file.js';
import { KeyError } from './key-error.js';
import { defaultKeys, parseKeyFile, writeKeyFile, type MasterKey } from './key-file.js';
import type { KeyName } from './key-name.js';

/** The master keys of a service: those of its key file, read again when the file has changed. @internal */
export class KeyRing {
  readonly #path: string;
  readonly #log: ServiceLog;
  #keys: ReadonlyMap<string, MasterKey> = new Map();
  #identity = '';
  /** Why no key can be used now. */
  #failure: unknown;
  #generation = 0;
  #refreshed: Promise<void> = Promise.resolve();

  constructor(path: string, log: ServiceLog = (): void => undefined) {
    this.#path = path;
    this.#log = log;
  }

  /** Grows when the file has changed. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether the file could be understood when it was last looked at. */
  get readable(): boolean {
    return this.#failure === undefined;
  }

  /** Reads the file, if there is one. Rejects with `KvsError` where it is bad or open to others. */
  async load(): Promise<'loaded' | 'missing'> {
    const file = await readPrivate(this.#path);
    if (file === undefined) return 'missing';
    if (file.identity === this.#identity && this.#failure === undefined) return 'loaded';
    this.#keys = parseKeyFile(file.bytes.toString(), this.#path);
    this.#identity = file.identity;
    this.#failure = undefined;
    this.#generation += 1;
    return 'loaded';
  }

  /** Makes the file with a new default key. */
  async create(): Promise<void> {
    await writePrivate(this.#path, writeKeyFile(defaultKeys()));
    await this.load();
  }

  /**
   * Reads the file again if it has changed, one reading after the other, so that each sees at least
   * what was there when it was asked for. While the file cannot be read no key can be used, since
   * nobody knows which were taken out; that is logged once.
   */
  refresh(): Promise<void> {
    this.#refreshed = this.#refreshed.then(() => this.#refresh());
    return this.#refreshed;
  }

  /** The key that is named. Throws `KeyError` 4503 or 4506. */
  find(name: KeyName): MasterKey {
    this.#checkReadable();
    for (const key of this.#keys.values()) if (isNamed(key, name)) return key;
    const shown = name.kind === 'alias' ? `alias/${name.name}` : name.name;
    throw new KeyError(4506, `${this.#path} has no key '${shown}' of account ${name.account}`);
  }

  /** The key with this id. Throws `KeyError` 4503 or 4506. */
  byId(id: string): MasterKey {
    this.#checkReadable();
    const key = this.#keys.get(id);
    if (key === undefined) throw new KeyError(4506, `${this.#path} has no key '${id}' any more`);
    return key;
  }

  async #refresh(): Promise<void> {
    let failure: unknown;
    try {
      if ((await this.load()) === 'loaded') return;
      failure = missingFile(this.#path);
    } catch (error) {
      failure = error;
    }
    if (this.#failure === undefined) {
      this.#generation += 1;
      this.#log('error', 'no key can be used until the key file is mended', { error: failure });
    }
    this.#failure = failure;
    this.#keys = new Map();
  }

  #checkReadable(): void {
    if (this.#failure === undefined) return;
    throw new KeyError(4503, `${this.#path} cannot be used`, { cause: this.#failure });
  }
}

/** @internal */
export function missingFile(path: string): KvsError {
  const message = `key file ${path} is missing; what its keys protect cannot be read without it`;
  return new KvsError({ status: 'STATUS_OPEN_FILE_FAILED', message });
}

/** Throws `KeyError` 4501, 4503, 4504 or 4505 unless the key can be used now. @internal */
export function checkUsable({ id, state, usage }: MasterKey): void {
  if (usage !== 'ENCRYPT_DECRYPT') throw new KeyError(4504, `key ${id} is for ${usage}`);
  switch (state) {
    case 'Enabled':
      return;
    case 'Disabled':
      throw new KeyError(4501, `key ${id} is Disabled`);
    case 'Unavailable':
      throw new KeyError(4503, `key ${id} is Unavailable`);
    default:
      throw new KeyError(4505, `key ${id} is ${state}`);
  }
}

/** A key that is nobody's is everybody's, under the caller's own account. */
function isNamed(key: MasterKey, { kind, name, account }: KeyName): boolean {
  if (key.account !== undefined && key.account !== account) return false;
  return kind === 'id' ? key.id === name : key.aliases.includes(name);
}
