export type {
  CallbackResult,
  ClientCallbackProvider,
  StreamCallbackProvider,
  StreamHandle,
} from './callbacks.js';
export type { ControlPlaneOptions } from './control-plane.js';
export {
  checkCredentials,
  defaultCredentials,
  fileCredentials,
  staticCredentials,
} from './credentials.js';
export {
  DefaultCallbackProvider,
  type DefaultCallbackProviderOptions,
} from './default-callback-provider.js';
export {
  DefaultDeviceInfoProvider,
  type DeviceInfo,
  type DeviceInfoProvider,
  type StorageInfo,
} from './device-info.js';
export type {
  BufferDurationOverflowPressure,
  ClientErrorReport,
  ClientReadyReport,
  CodecPrivateMissingReport,
  DroppedFragmentReport,
  DroppedFrameReport,
  FragmentAck,
  FragmentAckType,
  FragmentCutReport,
  KeyFrameMissingReport,
  SessionEndedReport,
  SkippedFramesReport,
  StorageOverflowPressure,
  StreamClosedReport,
  StreamConnectionStale,
  StreamDataAvailable,
  StreamErrorReport,
  StreamLatencyPressure,
  StreamReadyReport,
  StreamStateChange,
  StreamStateName,
  StreamUnderflowReport,
  TimelineChange,
} from './reports.js';
export { iotCertificateCredentials, type IotCertificateOptions } from './iot-credentials.js';
export type {
  CallbackProvider,
  CreateStreamInput,
  PlatformCalls,
  PutStreamInput,
  ServiceCallContext,
  ServiceCalls,
  StreamDescription,
} from './service-calls.js';
