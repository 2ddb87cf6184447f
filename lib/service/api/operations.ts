import { CONTROL_OPERATIONS } from './control-table.js';
import { DELIVERY_OPERATIONS } from './delivery-table.js';
import { MEDIA_OPERATIONS } from './media-table.js';
import type { Operation } from './operation.js';

/**
 * The one table of operations: routing, validation, documentation and the conformance tests are
 * made from it. Patterns, lengths and defaults are those of the guide's API reference. @internal
 */
export const OPERATIONS: readonly Operation[] = [
  ...CONTROL_OPERATIONS,
  ...DELIVERY_OPERATIONS,
  ...MEDIA_OPERATIONS,
];
