import type { StreamRegistry } from './control/streams.js';
import type { HubMap } from './hub.js';
import type { CheckedOptions } from './options.js';
import type { CallRates } from './rates.js';
import type { FragmentStore, StreamRecord } from './store/types.js';

/** What the parts of one running service share. @internal */
export interface ServiceContext {
  readonly options: CheckedOptions;
  readonly store: FragmentStore;
  readonly streams: StreamRegistry;
  readonly hubs: HubMap;
  readonly rates: CallRates;
  /** Where this service is reached. */
  readonly endpoint: () => string;
  /** Frees what a stream need not retain any longer. */
  readonly sweep: (record: StreamRecord) => Promise<void>;
}
