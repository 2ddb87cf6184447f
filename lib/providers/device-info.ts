/** Where frames wait until they are acknowledged (guide: StorageInfo). */
export interface StorageInfo {
  /** Only memory is available. */
  readonly storageType?: 'DEVICE_STORAGE_TYPE_IN_MEM';
  /**
   * Bytes that all streams together may hold, 10 MiB to 10 GiB; 128 MiB by default. Reserved, not
   * touched: memory is used as frames fill it.
   */
  readonly storageSize?: number;
}

/** What a producer runs on (guide: DeviceInfo). */
export interface DeviceInfo {
  /** For people to read, at most 128 characters; none by default. Becomes the stream's DeviceName. */
  readonly name?: string;
  /** Stands in the media's WritingApp, at most 128 characters; none by default. */
  readonly clientId?: string;
  /** How many streams there may be at once, 1 to 128; 16 by default. */
  readonly streamCount?: number;
  readonly storageInfo?: StorageInfo;
}

/** Gives the `DeviceInfo` of a producer, once, when it is created. */
export interface DeviceInfoProvider {
  getDeviceInfo(): DeviceInfo;
}

/** The guide's defaults: 16 streams, 128 MiB in memory. */
export class DefaultDeviceInfoProvider implements DeviceInfoProvider {
  readonly #info: DeviceInfo;

  /** `info` overrides single fields. */
  constructor(info: DeviceInfo = {}) {
    this.#info = info;
  }

  getDeviceInfo(): DeviceInfo {
    return {
      streamCount: 16,
      ...this.#info,
      storageInfo: {
        storageType: 'DEVICE_STORAGE_TYPE_IN_MEM',
        storageSize: 128 * 1024 * 1024,
        ...this.#info.storageInfo,
      },
    };
  }
}
