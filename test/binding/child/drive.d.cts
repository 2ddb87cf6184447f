import type {
  NativeBinding,
  NativeClient,
  NativeDeviceInfo,
  NativeStream,
  NativeStreamInfo,
  NativeTrackInfo,
} from '../../../lib/native/binding.js';
import type { NativeEvent } from '../../../lib/generated/events.js';

export declare const WALL: number;
export declare class Time {
  mono: number;
  wall: number;
  advance(ms: number): void;
}
export declare function deviceInfo(overrides?: Partial<NativeDeviceInfo>): NativeDeviceInfo;
export declare function trackInfo(overrides?: Partial<NativeTrackInfo>): NativeTrackInfo;
export declare function streamInfo(overrides?: Partial<NativeStreamInfo>): NativeStreamInfo;
export declare function answerCalls(
  client: NativeClient,
  stream: NativeStream,
  time: Time,
): NativeEvent[];
export declare function putFrames(
  stream: NativeStream,
  time: Time,
  count: number,
  data?: Uint8Array,
): number[];
export declare function openSession(
  NativeClient: NativeBinding['NativeClient'],
  device?: Partial<NativeDeviceInfo>,
  info?: Partial<NativeStreamInfo>,
): { client: NativeClient; stream: NativeStream; time: Time; session: number };
