export { startService, type KvsService } from './service.js';
export type {
  LogLevel,
  ServiceCredential,
  ServiceCredentials,
  ServiceLog,
  ServiceOptions,
} from './options.js';
export type { ApiLogOptions } from './audit/log-file.js';
export type { Limits } from './limits.js';
