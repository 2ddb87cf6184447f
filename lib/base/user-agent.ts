/** Version of this package, as package.json has it. */
export const VERSION = '0.1.0';

/** What requests say of their sender. @internal */
export function userAgent(): string {
  const { versions, platform, arch } = process;
  return `kinesis-video/${VERSION} node/${versions.node} ${platform}/${arch}`;
}
