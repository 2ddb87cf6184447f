import { PACKAGE_VERSION } from '../generated/version.js';

/** Version of this package, as package.json has it. */
export const VERSION: typeof PACKAGE_VERSION = PACKAGE_VERSION;

/** What requests say of their sender. @internal */
export function userAgent(): string {
  const { versions, platform, arch } = process;
  return `kinesis-video/${VERSION} node/${versions.node} ${platform}/${arch}`;
}
