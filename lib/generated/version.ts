// Made by tools/generate.mjs from native/include/kvs/package.json. Do not edit.

/** Version of this package. */
export const PACKAGE_VERSION = '0.1.0';
