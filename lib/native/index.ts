export * from './binding.js';
export * from './packed.js';
export { loadBinding } from './load.js';
