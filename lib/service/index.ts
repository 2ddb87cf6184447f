export { startService, type KvsService } from './service.js';
export type { ReloadOptions } from './reload.js';
export type {
  LogLevel,
  ServiceCredential,
  ServiceCredentials,
  ServiceLog,
  ServiceOptions,
  TlsOptions,
} from './options.js';
export type { AddressOptions } from './address-options.js';
export type { GeneratedCertificate } from './tls/generated.js';
export { fsck, type FsckOptions, type FsckReport } from './fsck.js';
export { createKey, rotateKey, type NewKeyOptions } from './keys/edit.js';
export type { ApiLogOptions } from './audit/log-file.js';
export { parsePolicy, type Policy, type PolicyStatement } from './policy/policy.js';
export type { Limits } from './limits.js';
