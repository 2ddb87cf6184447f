import { EntryCatalog } from './entry-catalog.js';
import { FileCatalog, type FileCatalogParts } from './file-catalog.js';
import type { Catalog, StreamItem, StreamRecord } from './types.js';

/** What a disk's catalog needs of the store. @internal */
export interface DiskCatalogParts extends FileCatalogParts {
  /** Called before something is changed: moves a directory of an older format, or leaves it. */
  readonly beCurrent: () => Promise<void>;
  readonly isCurrent: () => boolean;
}

/** The catalog of a disk store, of whatever format its directory has. @internal */
export class DiskCatalog implements Catalog {
  readonly #parts: DiskCatalogParts;
  readonly #files: FileCatalog;
  readonly #entries: EntryCatalog;

  constructor(parts: DiskCatalogParts) {
    this.#parts = parts;
    this.#files = new FileCatalog(parts);
    this.#entries = new EntryCatalog(parts);
  }

  streams(): Promise<StreamRecord[]> {
    return this.#now().streams();
  }

  item(id: number, name: StreamItem): Promise<Uint8Array | undefined> {
    return this.#now().item(id, name);
  }

  async newStreamId(): Promise<number> {
    return (await this.#toChange()).newStreamId();
  }

  async putStream(record: StreamRecord, since: string | undefined): Promise<boolean> {
    return (await this.#toChange()).putStream(record, since);
  }

  async deleteStream(id: number): Promise<void> {
    await (await this.#toChange()).deleteStream(id);
  }

  async swapItem(
    id: number,
    name: StreamItem,
    before: Uint8Array | undefined,
    after: Uint8Array,
  ): Promise<boolean> {
    return (await this.#toChange()).swapItem(id, name, before, after);
  }

  async reserve(id: number, count: number): Promise<number> {
    return (await this.#toChange()).reserve(id, count);
  }

  /** Makes the file of a stream of format 4 where there is none yet. */
  async ensure(id: number): Promise<void> {
    await this.#files.ensure(id);
  }

  #now(): FileCatalog | EntryCatalog {
    return this.#parts.isCurrent() ? this.#files : this.#entries;
  }

  async #toChange(): Promise<FileCatalog | EntryCatalog> {
    await this.#parts.beCurrent();
    return this.#now();
  }
}
