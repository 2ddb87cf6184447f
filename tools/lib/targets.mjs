// The platforms of the prebuilt addon: one table for building, packing and testing it.
// A target is `platform-arch` and, on Linux, the C library. Names of files are node-gyp-build's.

/** Prebuilt and in the published package; `npm publish` refuses to go without one of them. */
export const SHIPPED = [
  'linux-x64-glibc',
  'linux-x64-musl',
  'linux-arm64-glibc',
  'linux-arm64-musl',
  'linux-arm-glibc',
];

/** Made by the build matrix on their own systems; put into prebuilds/ before publishing. */
export const ELSEWHERE = ['darwin-x64', 'darwin-arm64', 'win32-x64', 'win32-arm64'];

/** Where the addon of a target lies in the package. */
export function prebuildFile(target) {
  const [platform, arch, libc] = target.split('-');
  const tags = [arch === 'arm' ? '.armv7' : '', libc === undefined ? '' : `.${libc}`];
  return `prebuilds/${platform}-${arch}/kinesis-video${tags.join('')}.node`;
}
