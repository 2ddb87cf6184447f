import type { StreamRegistry } from './control/streams.js';
import type { EventHook } from './events/hook.js';
import type { Source } from './http/source.js';
import type { HubMap } from './hub.js';
import type { StreamKeys } from './keys/stream-keys.js';
import type { ServiceMetrics } from './metrics/meter.js';
import type { Tally } from './operate/tally.js';
import type { CheckedOptions } from './options.js';
import type { CallRates } from './rates.js';
import type { Refusals } from './refusals.js';
import type { FragmentStore } from './store/types.js';
import type { Sweeper } from './sweep.js';

/** What the parts of one running service share. @internal */
export interface ServiceContext {
  readonly options: CheckedOptions;
  readonly store: FragmentStore;
  readonly keys: StreamKeys;
  readonly streams: StreamRegistry;
  readonly hubs: HubMap;
  readonly rates: CallRates;
  readonly refusals: Refusals;
  readonly metrics: ServiceMetrics;
  /** Where producers' events are delivered to; undefined: nowhere. */
  readonly hook: EventHook | undefined;
  /** Where the caller reaches an API of this service. */
  readonly endpointOf: (source: Source, api: string) => string;
  readonly sweeper: Sweeper;
  readonly tally: Tally;
}
