// The API of kinesis-video; node tools/api.mjs --write writes this file.

export type BodyState = 'open' | 'end' | 'abort';

export interface BufferDurationOverflowPressure {
    readonly remaining: number;
}

export declare const CALL_RESULT: {
    readonly OK: 200;
    readonly INVALID_ARG: 400;
    readonly NOT_AUTHORIZED: 401;
    readonly FORBIDDEN: 403;
    readonly RESOURCE_NOT_FOUND: 404;
    readonly REQUEST_TIMEOUT: 408;
    readonly CLIENT_LIMIT: 429;
    readonly INTERNAL_ERROR: 500;
    readonly SERVICE_UNAVAILABLE: 503;
    readonly GATEWAY_TIMEOUT: 504;
    readonly NETWORK_READ_TIMEOUT: 598;
    readonly NETWORK_CONNECTION_TIMEOUT: 599;
    readonly DEVICE_LIMIT: 10001;
    readonly STREAM_LIMIT: 10002;
    readonly RESOURCE_IN_USE: 10003;
    readonly UNKNOWN: 10006;
    readonly AUTH_FAILURE: 10007;
};

export interface CallMessage {
    readonly stream: string | undefined;
    readonly call: string;
    readonly result: number;
    readonly durationMs: number;
    readonly error: unknown;
}

export declare class CallbackMediaSource implements MediaSource {
    #private;
    constructor(definition: StreamDefinition, feed: FrameFeed);
    getStreamDefinition(): StreamDefinition;
    initialize(sink: MediaSourceSink): void;
    start(): void;
    stop(): Promise<void>;
    isStopped(): boolean;
}

export interface CallbackProvider extends ServiceCalls, PlatformCalls {
    readonly clientCallbackProvider?: ClientCallbackProvider;
    readonly streamCallbackProvider?: StreamCallbackProvider;
}

export type CallbackResult = unknown;

export interface ClientCallbackProvider {
    clientReady?(report: ClientReadyReport): CallbackResult;
    storageOverflowPressure?(report: StorageOverflowPressure): CallbackResult;
    clientErrorReport?(report: ClientErrorReport): CallbackResult;
}

export interface ClientErrorReport {
    readonly status: StatusName;
    readonly result: number;
    readonly attempts: number;
    readonly message?: string | undefined;
    readonly cause?: unknown;
}

export interface ClientMetrics {
    readonly contentStoreSize: number;
    readonly contentStoreAvailableSize: number;
    readonly contentStoreAllocatedSize: number;
    readonly totalContentViewsSize: number;
    readonly totalFrameRate: number;
    readonly totalTransferRate: number;
    readonly totalElementaryFrameRate: number;
    readonly streams: number;
    readonly apiCallRetries: number;
}

export type ClientNote = {
    [K in ClientNoteName]-?: {
        readonly name: K;
        readonly report: Report<ClientCallbackProvider[K]>;
    };
}[ClientNoteName];

export type ClientNoteName = keyof ClientCallbackProvider;

export interface ClientReadyReport {
    readonly uptime: number;
}

export interface Clock {
    mono(): number;
    wall(): number;
}

export interface CodecPrivateMissingReport {
    readonly timecode: number;
    readonly trackId: number;
}

export interface ConnectionSettings {
    readonly httpProxy?: string;
    readonly httpsProxy?: string;
    readonly noProxy?: string;
    readonly ca?: string | Buffer | readonly (string | Buffer)[];
}

export interface ControlPlaneOptions extends HttpAgents {
    readonly region?: string;
    readonly endpoint?: string;
    readonly useFipsEndpoint?: boolean;
    readonly useDualstackEndpoint?: boolean;
}

export interface CreateStreamInput {
    readonly streamName: string;
    readonly deviceName: string | undefined;
    readonly mediaType: string;
    readonly kmsKeyId: string | undefined;
    readonly retentionPeriod: number;
}

export type CredentialProvider = (options?: {
    readonly forceRefresh?: boolean;
}) => Promise<Credentials>;

export interface Credentials {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
    readonly expiration?: Date;
}

export declare class DefaultCallbackProvider implements CallbackProvider {
    #private;
    readonly clientCallbackProvider: ClientCallbackProvider;
    readonly streamCallbackProvider: StreamCallbackProvider;
    constructor(options?: DefaultCallbackProviderOptions);
    getSecurityToken(context: ServiceCallContext): Promise<Credentials>;
    getStreamingToken(_name: string, context: ServiceCallContext): Promise<Credentials>;
    createDevice(device: DeviceInfo, _context: ServiceCallContext): Promise<string>;
    createStream(input: CreateStreamInput, context: ServiceCallContext): Promise<string>;
    describeStream(name: string, context: ServiceCallContext): Promise<StreamDescription>;
    tagResource(streamArn: string, tags: Readonly<Record<string, string>>, context: ServiceCallContext): Promise<void>;
    getStreamingEndpoint(name: string, _apiName: 'PUT_MEDIA', context: ServiceCallContext): Promise<string>;
    putStream(input: PutStreamInput, io: PutMediaIo): PutMediaSession;
    prepare(): Promise<void>;
    close(): void;
}

export interface DefaultCallbackProviderOptions extends ControlPlaneOptions {
    readonly credentials?: Credentials | CredentialProvider;
    readonly userAgent?: string;
    readonly transport?: PutMediaTransport;
    readonly gatherMs?: number;
    readonly clientCallbackProvider?: ClientCallbackProvider;
    readonly streamCallbackProvider?: StreamCallbackProvider;
}

export declare class DefaultDeviceInfoProvider implements DeviceInfoProvider {
    #private;
    constructor(info?: DeviceInfo);
    getDeviceInfo(): DeviceInfo;
}

export interface DeviceInfo {
    readonly name?: string;
    readonly clientId?: string;
    readonly streamCount?: number;
    readonly storageInfo?: StorageInfo;
}

export interface DeviceInfoProvider {
    getDeviceInfo(): DeviceInfo;
}

export interface DroppedFragmentReport {
    readonly timecode: number;
    readonly end: number;
    readonly frames: number;
    readonly bytes: number;
    readonly sent: boolean;
    readonly reason: StatusName;
}

export interface DroppedFrameReport {
    readonly timecode: number;
    readonly trackId: number;
    readonly bytes: number;
    readonly reason: StatusName;
}

export declare const FRAME_FLAG: Readonly<Record<'NONE' | 'KEY_FRAME' | 'DISCARDABLE_FRAME' | 'INVISIBLE_FRAME' | 'END_OF_FRAGMENT', number>>;

export interface FragmentAck {
    readonly type: FragmentAckType;
    readonly timecode: number;
    readonly fragmentNumber: string;
    readonly session: number;
    readonly errorId: number;
    readonly status: StatusName | 'STATUS_SUCCESS';
    readonly matched: boolean;
}

export type FragmentAckType = 'BUFFERING' | 'RECEIVED' | 'PERSISTED' | 'ERROR' | 'IDLE';

export interface FragmentCutReport {
    readonly timecode: number;
    readonly duration: number;
    readonly bytes: number;
}

export type FragmentEvent = 'IMAGE_GENERATION' | 'NOTIFICATION';

export interface FragmentEventOptions {
    readonly imagePrefix?: string;
    readonly metadata?: Readonly<Record<string, string>>;
}

export interface Frame {
    readonly frameData: Uint8Array;
    readonly flags?: number;
    readonly key?: boolean;
    readonly presentationTs: number;
    readonly decodingTs?: number;
    readonly duration?: number;
    readonly trackId?: number;
}

export type FrameFeed = (sink: MediaSourceSink, signal: AbortSignal) => AsyncIterable<Frame> | Promise<void>;

export interface FrameRefusedMessage {
    readonly stream: string;
    readonly frame: Frame;
    readonly error: KvsError;
}

export declare abstract class FrameWritable extends Writable {
    write(bytes: never, written?: Written): boolean;
    write(bytes: never, encoding?: BufferEncoding, written?: Written): boolean;
    write(frame: Frame, written?: Written): boolean;
    write(frame: Frame, encoding: BufferEncoding | undefined, written?: Written): boolean;
    on<E extends keyof StreamEvents>(event: E, listener: StreamListener<E>): this;
    once<E extends keyof StreamEvents>(event: E, listener: StreamListener<E>): this;
    off<E extends keyof StreamEvents>(event: E, listener: StreamListener<E>): this;
    addListener<E extends keyof StreamEvents>(event: E, listener: StreamListener<E>): this;
    removeListener<E extends keyof StreamEvents>(event: E, listener: StreamListener<E>): this;
    prependListener<E extends keyof StreamEvents>(event: E, listener: StreamListener<E>): this;
    prependOnceListener<E extends keyof StreamEvents>(event: E, listener: StreamListener<E>): this;
}

export interface Gap {
    readonly from: number;
    readonly to: number;
    readonly frames: number;
    readonly bytes: number;
    readonly reason: StatusName;
}

export type HealthCondition = 'idle' | 'connecting' | 'streaming' | 'behind' | 'failing' | 'stopped';

export interface HttpAgents {
    readonly httpAgent?: HttpAgent;
    readonly httpsAgent?: HttpsAgent;
}

export declare class HttpPutMediaTransport implements PutMediaTransport {
    #private;
    constructor(options: HttpTransportOptions);
    open(request: PutMediaRequest, io: PutMediaIo): PutMediaSession;
}

export interface HttpTransportOptions extends HttpAgents {
    readonly userAgent: string;
    readonly bufferSize?: number;
    readonly gatherMs?: number;
    readonly lingerMs?: number;
    readonly wall?: () => number;
}

export interface IotCertificateOptions {
    readonly endpoint: string;
    readonly roleAlias: string;
    readonly thingName?: string;
    readonly certificate: string | Buffer;
    readonly privateKey: string | Buffer;
    readonly ca?: string | Buffer;
    readonly agent?: Agent;
    readonly timeoutMs?: number;
    readonly wall?: () => number;
}

export interface KeyFrameMissingReport {
    readonly timecode: number;
    readonly frames: number;
    readonly duration: number;
}

export declare class KinesisVideoClient {
    #private;
    private constructor();
    static create(options?: ProducerOptions): Promise<KinesisVideoClient>;
    get mediaSources(): readonly MediaSource[];
    registerMediaSource(streamName: string, source: MediaSource): Promise<KinesisVideoStream>;
    startAllMediaSources(): Promise<void>;
    stopAllMediaSources(options?: WaitOptions): Promise<void>;
    unregisterMediaSource(source: MediaSource, options?: WaitOptions): Promise<void>;
    getMetrics(): ClientMetrics;
    [Symbol.asyncDispose](): Promise<void>;
    close(options?: WaitOptions): Promise<void>;
}

export declare class KinesisVideoProducer {
    #private;
    private constructor();
    static create(options?: ProducerOptions): Promise<KinesisVideoProducer>;
    createStream(definition?: StreamDefinition<KinesisVideoStream>): Promise<KinesisVideoStream>;
    getStream(streamName: string): KinesisVideoStream | undefined;
    getMetrics(): ClientMetrics;
    close(options?: WaitOptions): Promise<void>;
    [Symbol.asyncDispose](): Promise<void>;
}

export declare class KinesisVideoStream extends FrameWritable implements StreamHandle {
    #private;
    readonly name: string;
    get state(): StreamStateName;
    get health(): StreamHealth;
    get gaps(): readonly Gap[];
    ready(options?: WaitOptions): Promise<void>;
    putFrame(frame: Frame): boolean;
    start(codecPrivateData?: Uint8Array, trackId?: number): void;
    stop(options?: WaitOptions): Promise<void>;
    reset(): void;
    resetConnection({ hard }?: {
        readonly hard?: boolean;
    }): void;
    [Symbol.asyncDispose](): Promise<void>;
    get paused(): boolean;
    pause(options?: PauseOptions): void;
    resume(): void;
    putFragmentMetadata(name: string, value: string, persistent?: boolean): void;
    putEvent(events: FragmentEvent | readonly FragmentEvent[], options?: FragmentEventOptions): void;
    getMetrics(): StreamMetrics;
}

export declare class KvsError extends Error {
    readonly name: string;
    readonly code: number;
    readonly status: StatusName;
    readonly retryable: boolean;
    constructor(options: KvsErrorOptions);
}

export interface Logger {
    debug(message: string): void;
    info(message: string): void;
    warn(message: string): void;
    error(message: string): void;
}

export interface MediaSource {
    getStreamDefinition(): StreamDefinition | Promise<StreamDefinition>;
    initialize(sink: MediaSourceSink): void | Promise<void>;
    start(): void | Promise<void>;
    stop(): void | Promise<void>;
    isStopped(): boolean;
}

export interface MediaSourceSink {
    readonly stream: KinesisVideoStream;
    onFrame(frame: Frame): boolean;
    onCodecPrivateData(codecPrivateData: Uint8Array, trackId?: number): void;
    onError(error: unknown): void;
    onFragmentMetadata(name: string, value: string, persistent?: boolean): void;
}

export interface Meter {
    createObservableGauge(name: string, options: InstrumentOptions): unknown;
    createObservableCounter(name: string, options: InstrumentOptions): unknown;
    addBatchObservableCallback(callback: BatchCallback, observables: unknown[]): void;
    removeBatchObservableCallback(callback: BatchCallback, observables: unknown[]): void;
}

export interface MeterProvider {
    getMeter(name: string, version?: string): Meter;
}

export declare const NAL_ADAPTATION: Readonly<Record<'NONE' | 'ANNEXB_NALS' | 'AVCC_NALS' | 'ANNEXB_CPD_NALS', number>>;

export interface NoteMessage {
    readonly stream: string | undefined;
    readonly note: ClientNote | StreamNote;
}

export type OverflowPolicy = 'DROP_OLDEST' | 'REFUSE';

export interface PauseOptions {
    readonly preRollMs?: number;
}

export interface PlatformCalls {
    getSecurityToken(context: ServiceCallContext): Promise<Credentials>;
    getCurrentTime?(): number;
    getRandomNumber?(): number;
}

export interface ProducerOptions extends ControlPlaneOptions {
    readonly credentials?: Credentials | CredentialProvider;
    readonly deviceInfo?: DeviceInfo | DeviceInfoProvider;
    readonly clientCallbackProvider?: ClientCallbackProvider;
    readonly streamCallbackProvider?: StreamCallbackProvider<KinesisVideoStream>;
    readonly callbackProvider?: CallbackProvider;
    readonly transport?: PutMediaTransport;
    readonly gatherMs?: number;
    readonly ca?: ConnectionSettings['ca'];
    readonly logger?: Logger;
    readonly limits?: 'off';
    readonly meterProvider?: MeterProvider;
    readonly clock?: Clock;
}

export interface PutMediaIo {
    read(into: Uint8Array): number;
    ended(): BodyState;
    onOpen(): void;
    onAck(bytes: Uint8Array): void;
    onEnd(result: number, cause?: Error): void;
}

export declare class PutMediaRefusal extends Error {
    readonly name: string;
    readonly serverTime: number | undefined;
    constructor(message: string, serverTime?: number);
}

export interface PutMediaRequest {
    readonly endpoint: string;
    readonly streamName: string;
    readonly start: number;
    readonly absolute: boolean;
    readonly acks: boolean;
    readonly credentials: Credentials;
    readonly region: string;
    readonly clockOffset?: number;
    readonly connectTimeout: number;
    readonly agents?: HttpAgents;
    readonly signal?: AbortSignal;
}

export interface PutMediaSession {
    wake(): void;
    more?(): void;
    abort(): void;
}

export interface PutMediaTransport {
    open(request: PutMediaRequest, io: PutMediaIo): PutMediaSession;
}

export interface PutStreamInput {
    readonly streamName: string;
    readonly endpoint: string;
    readonly credentials: Credentials;
    readonly start: number;
    readonly absolute: boolean;
    readonly acks: boolean;
    readonly connectTimeout: number;
}

export declare const STATUS: {
    readonly STATUS_NULL_ARG: 1;
    readonly STATUS_INVALID_ARG: 2;
    readonly STATUS_INVALID_ARG_LEN: 3;
    readonly STATUS_NOT_ENOUGH_MEMORY: 4;
    readonly STATUS_BUFFER_TOO_SMALL: 5;
    readonly STATUS_UNEXPECTED_EOF: 6;
    readonly STATUS_FORMAT_ERROR: 7;
    readonly STATUS_INVALID_HANDLE_ERROR: 8;
    readonly STATUS_OPEN_FILE_FAILED: 9;
    readonly STATUS_READ_FILE_FAILED: 10;
    readonly STATUS_WRITE_TO_FILE_FAILED: 11;
    readonly STATUS_INTERNAL_ERROR: 12;
    readonly STATUS_INVALID_OPERATION: 13;
    readonly STATUS_NOT_IMPLEMENTED: 14;
    readonly STATUS_OPERATION_TIMED_OUT: 15;
    readonly STATUS_NOT_FOUND: 16;
    readonly STATUS_HEAP_FLAGS_ERROR: 16777217;
    readonly STATUS_HEAP_NOT_INITIALIZED: 16777218;
    readonly STATUS_HEAP_CORRUPTED: 16777219;
    readonly STATUS_HEAP_VRAM_LIB_MISSING: 16777220;
    readonly STATUS_HEAP_VRAM_LIB_REOPEN: 16777221;
    readonly STATUS_HEAP_VRAM_INIT_FUNC_SYMBOL: 16777222;
    readonly STATUS_HEAP_VRAM_ALLOC_FUNC_SYMBOL: 16777223;
    readonly STATUS_HEAP_VRAM_FREE_FUNC_SYMBOL: 16777224;
    readonly STATUS_HEAP_VRAM_LOCK_FUNC_SYMBOL: 16777225;
    readonly STATUS_HEAP_VRAM_UNLOCK_FUNC_SYMBOL: 16777226;
    readonly STATUS_HEAP_VRAM_UNINIT_FUNC_SYMBOL: 16777227;
    readonly STATUS_HEAP_VRAM_GETMAX_FUNC_SYMBOL: 16777228;
    readonly STATUS_HEAP_DIRECT_MEM_INIT: 16777229;
    readonly STATUS_HEAP_VRAM_INIT_FAILED: 16777230;
    readonly STATUS_HEAP_LIBRARY_FREE_FAILED: 16777231;
    readonly STATUS_HEAP_VRAM_ALLOC_FAILED: 16777232;
    readonly STATUS_HEAP_VRAM_FREE_FAILED: 16777233;
    readonly STATUS_HEAP_VRAM_MAP_FAILED: 16777234;
    readonly STATUS_HEAP_VRAM_UNMAP_FAILED: 16777235;
    readonly STATUS_HEAP_VRAM_UNINIT_FAILED: 16777236;
    readonly STATUS_INVALID_ALLOCATION_SIZE: 16777237;
    readonly STATUS_HEAP_REALLOC_ERROR: 16777238;
    readonly STATUS_HEAP_FILE_HEAP_FILE_CORRUPT: 16777239;
    readonly STATUS_MIN_PROFILER_BUFFER: 269484033;
    readonly STATUS_MIN_CONTENT_VIEW_ITEMS: 805306369;
    readonly STATUS_INVALID_CONTENT_VIEW_DURATION: 805306370;
    readonly STATUS_CONTENT_VIEW_NO_MORE_ITEMS: 805306371;
    readonly STATUS_CONTENT_VIEW_INVALID_INDEX: 805306372;
    readonly STATUS_CONTENT_VIEW_INVALID_TIMESTAMP: 805306373;
    readonly STATUS_INVALID_CONTENT_VIEW_LENGTH: 805306374;
    readonly STATUS_MKV_INVALID_FRAME_DATA: 838860801;
    readonly STATUS_MKV_INVALID_FRAME_TIMESTAMP: 838860802;
    readonly STATUS_MKV_INVALID_CLUSTER_DURATION: 838860803;
    readonly STATUS_MKV_INVALID_CONTENT_TYPE_LENGTH: 838860804;
    readonly STATUS_MKV_NUMBER_TOO_BIG: 838860805;
    readonly STATUS_MKV_INVALID_CODEC_ID_LENGTH: 838860806;
    readonly STATUS_MKV_INVALID_TRACK_NAME_LENGTH: 838860807;
    readonly STATUS_MKV_INVALID_CODEC_PRIVATE_LENGTH: 838860808;
    readonly STATUS_MKV_CODEC_PRIVATE_NULL: 838860809;
    readonly STATUS_MKV_INVALID_TIMECODE_SCALE: 838860810;
    readonly STATUS_MKV_MAX_FRAME_TIMECODE: 838860811;
    readonly STATUS_MKV_LARGE_FRAME_TIMECODE: 838860812;
    readonly STATUS_MKV_INVALID_ANNEXB_NALU_IN_FRAME_DATA: 838860813;
    readonly STATUS_MKV_INVALID_AVCC_NALU_IN_FRAME_DATA: 838860814;
    readonly STATUS_MKV_BOTH_ANNEXB_AND_AVCC_SPECIFIED: 838860815;
    readonly STATUS_MKV_INVALID_ANNEXB_NALU_IN_CPD: 838860816;
    readonly STATUS_MKV_PTS_DTS_ARE_NOT_SAME: 838860817;
    readonly STATUS_MKV_INVALID_H264_H265_CPD: 838860818;
    readonly STATUS_MKV_INVALID_H264_H265_SPS_WIDTH: 838860819;
    readonly STATUS_MKV_INVALID_H264_H265_SPS_HEIGHT: 838860820;
    readonly STATUS_MKV_INVALID_H264_H265_SPS_NALU: 838860821;
    readonly STATUS_MKV_INVALID_BIH_CPD: 838860822;
    readonly STATUS_MKV_INVALID_HEVC_NALU_COUNT: 838860823;
    readonly STATUS_MKV_INVALID_HEVC_FORMAT: 838860824;
    readonly STATUS_MKV_HEVC_SPS_NALU_MISSING: 838860825;
    readonly STATUS_MKV_INVALID_HEVC_SPS_NALU_SIZE: 838860826;
    readonly STATUS_MKV_INVALID_HEVC_SPS_CHROMA_FORMAT_IDC: 838860827;
    readonly STATUS_MKV_INVALID_HEVC_SPS_RESERVED: 838860828;
    readonly STATUS_MKV_MIN_ANNEX_B_CPD_SIZE: 838860829;
    readonly STATUS_MKV_ANNEXB_CPD_MISSING_NALUS: 838860830;
    readonly STATUS_MKV_INVALID_ANNEXB_CPD_NALUS: 838860831;
    readonly STATUS_MKV_INVALID_TAG_NAME_LENGTH: 838860832;
    readonly STATUS_MKV_INVALID_TAG_VALUE_LENGTH: 838860833;
    readonly STATUS_MKV_INVALID_GENERATOR_STATE_TAGS: 838860834;
    readonly STATUS_MKV_INVALID_AAC_CPD_SAMPLING_FREQUENCY_INDEX: 838860835;
    readonly STATUS_MKV_INVALID_AAC_CPD_CHANNEL_CONFIG: 838860836;
    readonly STATUS_MKV_INVALID_AAC_CPD: 838860837;
    readonly STATUS_MKV_TRACK_INFO_NOT_FOUND: 838860838;
    readonly STATUS_MKV_INVALID_SEGMENT_UUID: 838860839;
    readonly STATUS_MKV_INVALID_TRACK_UID: 838860840;
    readonly STATUS_MKV_INVALID_CLIENT_ID_LENGTH: 838860841;
    readonly STATUS_MKV_INVALID_AMS_ACM_CPD: 838860842;
    readonly STATUS_MKV_MISSING_SPS_FROM_H264_CPD: 838860843;
    readonly STATUS_MKV_MISSING_PPS_FROM_H264_CPD: 838860844;
    readonly STATUS_MKV_INVALID_PARENT_TYPE: 838860845;
    readonly STATUS_INVALID_BASE64_ENCODE: 1073741825;
    readonly STATUS_INVALID_BASE: 1073741826;
    readonly STATUS_INVALID_DIGIT: 1073741827;
    readonly STATUS_INT_OVERFLOW: 1073741828;
    readonly STATUS_EMPTY_STRING: 1073741829;
    readonly STATUS_DIRECTORY_OPEN_FAILED: 1073741830;
    readonly STATUS_PATH_TOO_LONG: 1073741831;
    readonly STATUS_UNKNOWN_DIR_ENTRY_TYPE: 1073741832;
    readonly STATUS_REMOVE_DIRECTORY_FAILED: 1073741833;
    readonly STATUS_REMOVE_FILE_FAILED: 1073741834;
    readonly STATUS_REMOVE_LINK_FAILED: 1073741835;
    readonly STATUS_DIRECTORY_ACCESS_DENIED: 1073741836;
    readonly STATUS_DIRECTORY_MISSING_PATH: 1073741837;
    readonly STATUS_DIRECTORY_ENTRY_STAT_ERROR: 1073741838;
    readonly STATUS_MAX_STREAM_COUNT: 1375731713;
    readonly STATUS_MIN_STREAM_COUNT: 1375731714;
    readonly STATUS_INVALID_DEVICE_NAME_LENGTH: 1375731715;
    readonly STATUS_INVALID_DEVICE_INFO_VERSION: 1375731716;
    readonly STATUS_MAX_TAG_COUNT: 1375731717;
    readonly STATUS_DEVICE_FINGERPRINT_LENGTH: 1375731718;
    readonly STATUS_INVALID_CALLBACKS_VERSION: 1375731719;
    readonly STATUS_INVALID_STREAM_INFO_VERSION: 1375731720;
    readonly STATUS_INVALID_STREAM_NAME_LENGTH: 1375731721;
    readonly STATUS_INVALID_STORAGE_SIZE: 1375731722;
    readonly STATUS_INVALID_ROOT_DIRECTORY_LENGTH: 1375731723;
    readonly STATUS_INVALID_SPILL_RATIO: 1375731724;
    readonly STATUS_INVALID_STORAGE_INFO_VERSION: 1375731725;
    readonly STATUS_INVALID_STREAM_STATE: 1375731726;
    readonly STATUS_SERVICE_CALL_CALLBACKS_MISSING: 1375731727;
    readonly STATUS_SERVICE_CALL_NOT_AUTHORIZED_ERROR: 1375731728;
    readonly STATUS_DESCRIBE_STREAM_CALL_FAILED: 1375731729;
    readonly STATUS_INVALID_DESCRIBE_STREAM_RESPONSE: 1375731730;
    readonly STATUS_STREAM_IS_BEING_DELETED_ERROR: 1375731731;
    readonly STATUS_SERVICE_CALL_INVALID_ARG_ERROR: 1375731732;
    readonly STATUS_SERVICE_CALL_DEVICE_NOT_FOND_ERROR: 1375731733;
    readonly STATUS_SERVICE_CALL_DEVICE_NOT_PROVISIONED_ERROR: 1375731734;
    readonly STATUS_SERVICE_CALL_RESOURCE_NOT_FOUND_ERROR: 1375731735;
    readonly STATUS_INVALID_AUTH_LEN: 1375731736;
    readonly STATUS_CREATE_STREAM_CALL_FAILED: 1375731737;
    readonly STATUS_GET_STREAMING_TOKEN_CALL_FAILED: 1375731754;
    readonly STATUS_GET_STREAMING_ENDPOINT_CALL_FAILED: 1375731755;
    readonly STATUS_INVALID_URI_LEN: 1375731756;
    readonly STATUS_PUT_STREAM_CALL_FAILED: 1375731757;
    readonly STATUS_STORE_OUT_OF_MEMORY: 1375731758;
    readonly STATUS_NO_MORE_DATA_AVAILABLE: 1375731759;
    readonly STATUS_INVALID_TAG_VERSION: 1375731760;
    readonly STATUS_SERVICE_CALL_UNKOWN_ERROR: 1375731761;
    readonly STATUS_SERVICE_CALL_RESOURCE_IN_USE_ERROR: 1375731762;
    readonly STATUS_SERVICE_CALL_CLIENT_LIMIT_ERROR: 1375731763;
    readonly STATUS_SERVICE_CALL_DEVICE_LIMIT_ERROR: 1375731764;
    readonly STATUS_SERVICE_CALL_STREAM_LIMIT_ERROR: 1375731765;
    readonly STATUS_SERVICE_CALL_RESOURCE_DELETED_ERROR: 1375731766;
    readonly STATUS_SERVICE_CALL_TIMEOUT_ERROR: 1375731767;
    readonly STATUS_STREAM_READY_CALLBACK_FAILED: 1375731768;
    readonly STATUS_DEVICE_TAGS_COUNT_NON_ZERO_TAGS_NULL: 1375731769;
    readonly STATUS_INVALID_STREAM_DESCRIPTION_VERSION: 1375731770;
    readonly STATUS_INVALID_TAG_NAME_LEN: 1375731771;
    readonly STATUS_INVALID_TAG_VALUE_LEN: 1375731772;
    readonly STATUS_TAG_STREAM_CALL_FAILED: 1375731773;
    readonly STATUS_INVALID_CUSTOM_DATA: 1375731774;
    readonly STATUS_INVALID_CREATE_STREAM_RESPONSE: 1375731775;
    readonly STATUS_CLIENT_AUTH_CALL_FAILED: 1375731776;
    readonly STATUS_GET_CLIENT_TOKEN_CALL_FAILED: 1375731777;
    readonly STATUS_CLIENT_PROVISION_CALL_FAILED: 1375731778;
    readonly STATUS_CREATE_CLIENT_CALL_FAILED: 1375731779;
    readonly STATUS_CLIENT_READY_CALLBACK_FAILED: 1375731780;
    readonly STATUS_TAG_CLIENT_CALL_FAILED: 1375731781;
    readonly STATUS_INVALID_CREATE_DEVICE_RESPONSE: 1375731782;
    readonly STATUS_ACK_TIMESTAMP_NOT_IN_VIEW_WINDOW: 1375731783;
    readonly STATUS_INVALID_FRAGMENT_ACK_VERSION: 1375731784;
    readonly STATUS_INVALID_TOKEN_EXPIRATION: 1375731785;
    readonly STATUS_END_OF_STREAM: 1375731786;
    readonly STATUS_DUPLICATE_STREAM_NAME: 1375731787;
    readonly STATUS_INVALID_RETENTION_PERIOD: 1375731788;
    readonly STATUS_INVALID_ACK_KEY_START: 1375731789;
    readonly STATUS_INVALID_ACK_DUPLICATE_KEY_NAME: 1375731790;
    readonly STATUS_INVALID_ACK_INVALID_VALUE_START: 1375731791;
    readonly STATUS_INVALID_ACK_INVALID_VALUE_END: 1375731792;
    readonly STATUS_INVALID_PARSED_ACK_TYPE: 1375731793;
    readonly STATUS_STREAM_HAS_BEEN_STOPPED: 1375731794;
    readonly STATUS_INVALID_STREAM_METRICS_VERSION: 1375731795;
    readonly STATUS_INVALID_CLIENT_METRICS_VERSION: 1375731796;
    readonly STATUS_INVALID_CLIENT_READY_STATE: 1375731797;
    readonly STATUS_STATE_MACHINE_STATE_NOT_FOUND: 1375731798;
    readonly STATUS_INVALID_FRAGMENT_ACK_TYPE: 1375731799;
    readonly STATUS_INVALID_STREAM_READY_STATE: 1375731800;
    readonly STATUS_CLIENT_FREED_BEFORE_STREAM: 1375731801;
    readonly STATUS_ALLOCATION_SIZE_SMALLER_THAN_REQUESTED: 1375731802;
    readonly STATUS_VIEW_ITEM_SIZE_GREATER_THAN_ALLOCATION: 1375731803;
    readonly STATUS_ACK_ERR_STREAM_READ_ERROR: 1375731804;
    readonly STATUS_ACK_ERR_FRAGMENT_SIZE_REACHED: 1375731805;
    readonly STATUS_ACK_ERR_FRAGMENT_DURATION_REACHED: 1375731806;
    readonly STATUS_ACK_ERR_CONNECTION_DURATION_REACHED: 1375731807;
    readonly STATUS_ACK_ERR_FRAGMENT_TIMECODE_NOT_MONOTONIC: 1375731808;
    readonly STATUS_ACK_ERR_MULTI_TRACK_MKV: 1375731809;
    readonly STATUS_ACK_ERR_INVALID_MKV_DATA: 1375731810;
    readonly STATUS_ACK_ERR_INVALID_PRODUCER_TIMESTAMP: 1375731811;
    readonly STATUS_ACK_ERR_STREAM_NOT_ACTIVE: 1375731812;
    readonly STATUS_ACK_ERR_KMS_KEY_ACCESS_DENIED: 1375731813;
    readonly STATUS_ACK_ERR_KMS_KEY_DISABLED: 1375731814;
    readonly STATUS_ACK_ERR_KMS_KEY_VALIDATION_ERROR: 1375731815;
    readonly STATUS_ACK_ERR_KMS_KEY_UNAVAILABLE: 1375731816;
    readonly STATUS_ACK_ERR_KMS_KEY_INVALID_USAGE: 1375731817;
    readonly STATUS_ACK_ERR_KMS_KEY_INVALID_STATE: 1375731818;
    readonly STATUS_ACK_ERR_KMS_KEY_NOT_FOUND: 1375731819;
    readonly STATUS_ACK_ERR_STREAM_DELETED: 1375731820;
    readonly STATUS_ACK_ERR_ACK_INTERNAL_ERROR: 1375731821;
    readonly STATUS_ACK_ERR_FRAGMENT_ARCHIVAL_ERROR: 1375731822;
    readonly STATUS_ACK_ERR_UNKNOWN_ACK_ERROR: 1375731823;
    readonly STATUS_MISSING_ERR_ACK_ID: 1375731824;
    readonly STATUS_INVALID_ACK_SEGMENT_LEN: 1375731825;
    readonly STATUS_AWAITING_PERSISTED_ACK: 1375731826;
    readonly STATUS_PERSISTED_ACK_TIMEOUT: 1375731827;
    readonly STATUS_MAX_FRAGMENT_METADATA_COUNT: 1375731828;
    readonly STATUS_ACK_ERR_FRAGMENT_METADATA_LIMIT_REACHED: 1375731829;
    readonly STATUS_BLOCKING_PUT_INTERRUPTED_STREAM_TERMINATED: 1375731830;
    readonly STATUS_INVALID_METADATA_NAME: 1375731831;
    readonly STATUS_END_OF_FRAGMENT_FRAME_INVALID_STATE: 1375731832;
    readonly STATUS_TRACK_INFO_MISSING: 1375731833;
    readonly STATUS_MAX_TRACK_COUNT_EXCEEDED: 1375731834;
    readonly STATUS_OFFLINE_MODE_WITH_ZERO_RETENTION: 1375731835;
    readonly STATUS_ACK_ERR_TRACK_NUMBER_MISMATCH: 1375731836;
    readonly STATUS_ACK_ERR_FRAMES_MISSING_FOR_TRACK: 1375731837;
    readonly STATUS_ACK_ERR_MORE_THAN_ALLOWED_TRACKS_FOUND: 1375731838;
    readonly STATUS_UPLOAD_HANDLE_ABORTED: 1375731839;
    readonly STATUS_INVALID_CERT_PATH_LENGTH: 1375731840;
    readonly STATUS_DUPLICATE_TRACK_ID_FOUND: 1375731841;
    readonly STATUS_INVALID_CLIENT_INFO_VERSION: 1375731842;
    readonly STATUS_INVALID_CLIENT_ID_STRING_LENGTH: 1375731843;
    readonly STATUS_SETTING_KEY_FRAME_FLAG_WHILE_USING_EOFR: 1375731844;
    readonly STATUS_MAX_FRAME_TIMESTAMP_DELTA_BETWEEN_TRACKS_EXCEEDED: 1375731845;
    readonly STATUS_STREAM_SHUTTING_DOWN: 1375731846;
    readonly STATUS_CLIENT_SHUTTING_DOWN: 1375731847;
    readonly STATUS_PUTMEDIA_LAST_PERSIST_ACK_NOT_RECEIVED: 1375731848;
    readonly STATUS_NON_ALIGNED_HEAP_WITH_IN_CONTENT_STORE_ALLOCATORS: 1375731849;
    readonly STATUS_MULTIPLE_CONSECUTIVE_EOFR: 1375731850;
    readonly STATUS_DUPLICATE_STREAM_EVENT_TYPE: 1375731851;
    readonly STATUS_STREAM_NOT_STARTED: 1375731852;
    readonly STATUS_INVALID_IMAGE_PREFIX_LENGTH: 1375731853;
    readonly STATUS_INVALID_IMAGE_METADATA_KEY_LENGTH: 1375731854;
    readonly STATUS_INVALID_IMAGE_METADATA_VALUE_LENGTH: 1375731855;
};

export interface ServiceCallContext {
    readonly timeout: number;
    readonly signal: AbortSignal;
    readonly authInfo: Credentials | undefined;
    readonly refused?: boolean;
}

export interface ServiceCalls {
    createDevice(device: DeviceInfo, context: ServiceCallContext): Promise<string>;
    createStream(input: CreateStreamInput, context: ServiceCallContext): Promise<string>;
    describeStream(streamName: string, context: ServiceCallContext): Promise<StreamDescription>;
    tagResource(streamArn: string, tags: Readonly<Record<string, string>>, context: ServiceCallContext): Promise<void>;
    getStreamingEndpoint(streamName: string, apiName: 'PUT_MEDIA', context: ServiceCallContext): Promise<string>;
    getStreamingToken(streamName: string, context: ServiceCallContext): Promise<Credentials>;
    putStream(input: PutStreamInput, io: PutMediaIo): PutMediaSession;
}

export interface SessionEndedReport {
    readonly session: number;
    readonly status: StatusName | 'STATUS_SUCCESS';
    readonly result: number;
}

export interface SkippedFramesReport {
    readonly frames: number;
    readonly timecode: number;
}

export type StatusName = keyof typeof STATUS;

export interface StorageInfo {
    readonly storageType?: 'DEVICE_STORAGE_TYPE_IN_MEM';
    readonly storageSize?: number;
}

export interface StorageOverflowPressure {
    readonly remaining: number;
}

export interface StreamCallbackProvider<S extends StreamHandle = StreamHandle> {
    droppedFragmentReport?(report: DroppedFragmentReport, stream: S): CallbackResult;
    droppedFrameReport?(report: DroppedFrameReport, stream: S): CallbackResult;
    fragmentAckReceived?(ack: FragmentAck, stream: S): CallbackResult;
    streamClosed?(report: StreamClosedReport, stream: S): CallbackResult;
    streamConnectionStale?(report: StreamConnectionStale, stream: S): CallbackResult;
    streamDataAvailable?(report: StreamDataAvailable, stream: S): CallbackResult;
    streamErrorReport?(report: StreamErrorReport, stream: S): CallbackResult;
    streamLatencyPressure?(report: StreamLatencyPressure, stream: S): CallbackResult;
    streamReady?(report: StreamReadyReport, stream: S): CallbackResult;
    streamUnderflowReport?(report: StreamUnderflowReport, stream: S): CallbackResult;
    bufferDurationOverflowPressure?(report: BufferDurationOverflowPressure, stream: S): CallbackResult;
    skippedFramesReport?(report: SkippedFramesReport, stream: S): CallbackResult;
    keyFrameMissingReport?(report: KeyFrameMissingReport, stream: S): CallbackResult;
    codecPrivateMissingReport?(report: CodecPrivateMissingReport, stream: S): CallbackResult;
    fragmentCutReport?(report: FragmentCutReport, stream: S): CallbackResult;
    timelineChanged?(change: TimelineChange, stream: S): CallbackResult;
    sessionEnded?(report: SessionEndedReport, stream: S): CallbackResult;
    streamStateChanged?(change: StreamStateChange, stream: S): CallbackResult;
}

export interface StreamClosedReport {
    readonly session: number;
    readonly status: StatusName | 'STATUS_SUCCESS';
    readonly dropped: number;
}

export interface StreamConnectionStale {
    readonly session: number;
    readonly since: number;
}

export interface StreamDataAvailable {
    readonly session: number;
    readonly duration: number;
    readonly bytes: number;
}

export interface StreamDefinition<S extends StreamHandle = StreamHandle> {
    readonly streamName?: string;
    readonly retentionPeriod?: number;
    readonly tags?: Readonly<Record<string, string>>;
    readonly kmsKeyId?: string;
    readonly streamingType?: StreamingType;
    readonly overflowPolicy?: OverflowPolicy;
    readonly contentType?: string;
    readonly maxLatency?: number;
    readonly fragmentDuration?: number;
    readonly minFragmentDuration?: number;
    readonly maxFragmentDuration?: number;
    readonly timecodeScale?: number;
    readonly keyFrameFragmentation?: boolean;
    readonly frameTimecodes?: boolean;
    readonly absoluteFragmentTimes?: boolean;
    readonly fragmentAcks?: boolean;
    readonly restartOnError?: boolean;
    readonly recalculateMetrics?: boolean;
    readonly allowStreamCreation?: boolean;
    readonly nalAdaptationFlags?: number;
    readonly frameRate?: number;
    readonly avgBandwidthBps?: number;
    readonly maxBandwidthBps?: number;
    readonly bufferDuration?: number;
    readonly replayDuration?: number;
    readonly connectionStaleness?: number;
    readonly sessionDuration?: number;
    readonly idleDuration?: number;
    readonly codecId?: string;
    readonly trackName?: string;
    readonly codecPrivateData?: Uint8Array;
    readonly tracks?: readonly TrackInfo[];
    readonly callbacks?: StreamCallbackProvider<S>;
}

export interface StreamDescription {
    readonly streamArn: string;
    readonly streamStatus: 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING';
    readonly retentionPeriod: number;
}

export interface StreamErrorReport {
    readonly session: number;
    readonly timecode: number;
    readonly status: StatusName;
    readonly result: number;
    readonly attempts: number;
    readonly message?: string | undefined;
    readonly cause?: unknown;
}

export interface StreamEvents extends NoteEvents {
    readonly health: readonly [
        health: StreamHealth
    ];
    readonly frameRefused: readonly [
        error: KvsError,
        frame: Frame
    ];
    readonly mediaSourceFailed: readonly [
        error: unknown
    ];
    readonly drain: readonly [
    ];
    readonly finish: readonly [
    ];
    readonly close: readonly [
    ];
    readonly error: readonly [
        error: Error
    ];
    readonly pipe: readonly [
        source: Readable
    ];
    readonly unpipe: readonly [
        source: Readable
    ];
    readonly newListener: readonly [
        event: string | symbol,
        listener: (...values: never) => unknown
    ];
    readonly removeListener: StreamEvents['newListener'];
}

export interface StreamHandle {
    readonly name: string;
}

export interface StreamHealth {
    readonly condition: HealthCondition;
    readonly state: StreamStateName;
    readonly backlogMs: number;
    readonly backlogBytes: number;
    readonly unsentMs: number;
    readonly unsentBytes: number;
    readonly sincePersistedMs: number;
    readonly sessions: number;
    readonly lastError: KvsError | undefined;
    readonly lastErrorAt: number | undefined;
    readonly refusedFrames: number;
}

export interface StreamLatencyPressure {
    readonly duration: number;
}

export type StreamListener<E extends keyof StreamEvents> = (...values: StreamEvents[E]) => unknown;

export interface StreamMetrics {
    readonly currentViewDuration: number;
    readonly overallViewDuration: number;
    readonly currentViewSize: number;
    readonly overallViewSize: number;
    readonly currentFrameRate: number;
    readonly currentTransferRate: number;
    readonly uptime: number;
    readonly transferredBytes: number;
    readonly totalSessions: number;
    readonly totalActiveSessions: number;
    readonly avgSessionDuration: number;
    readonly bufferedAcks: number;
    readonly receivedAcks: number;
    readonly persistedAcks: number;
    readonly errorAcks: number;
    readonly idleAcks: number;
    readonly unmatchedAcks: number;
    readonly totalFrames: number;
    readonly droppedFrames: number;
    readonly droppedFragments: number;
    readonly skippedFrames: number;
    readonly mendedTimecodes: number;
    readonly timelineChanges: number;
    readonly storagePressures: number;
    readonly latencyPressures: number;
    readonly bufferPressures: number;
    readonly staleEvents: number;
    readonly putFrameErrors: number;
    readonly errors: number;
    readonly apiCallRetries: number;
    readonly cplApiCallLatency: number;
    readonly dataApiCallLatency: number;
    readonly bufferingLatency: number;
    readonly receivedLatency: number;
    readonly persistedLatency: number;
    readonly sincePersisted: number;
    readonly elementaryFrameRate: number;
    readonly state: number;
    readonly bufferedFrames: number;
    readonly bufferedFragments: number;
}

export type StreamNote = {
    [K in StreamNoteName]-?: {
        readonly name: K;
        readonly report: Report<StreamCallbackProvider[K]>;
    };
}[StreamNoteName];

export type StreamNoteName = keyof StreamCallbackProvider;

export interface StreamReadyReport {
    readonly uptime: number;
}

export interface StreamStateChange {
    readonly from: StreamStateName;
    readonly to: StreamStateName;
}

export type StreamStateName = 'NEW' | 'DESCRIBE' | 'CREATE' | 'TAG_STREAM' | 'GET_ENDPOINT' | 'GET_TOKEN' | 'READY' | 'PUT_STREAM' | 'STREAMING' | 'STOPPED';

export interface StreamUnderflowReport {
    readonly session: number;
}

export type StreamingType = 'REALTIME' | 'NEAR_REALTIME' | 'OFFLINE';

export declare const TRACK_TYPE: Readonly<Record<'VIDEO' | 'AUDIO' | 'DATA', number>>;

export interface TimelineChange {
    readonly from: number;
    readonly to: number;
}

export interface TrackInfo {
    readonly trackId?: number;
    readonly trackType?: number;
    readonly codecId?: string;
    readonly trackName?: string;
    readonly codecPrivateData?: Uint8Array;
    readonly pixelWidth?: number;
    readonly pixelHeight?: number;
    readonly samplingFrequency?: number;
    readonly channels?: number;
    readonly bitDepth?: number;
}

export declare const VERSION: typeof PACKAGE_VERSION;

export interface WaitOptions {
    readonly timeoutMs?: number | undefined;
    readonly signal?: AbortSignal | undefined;
}

export declare function checkCredentials(value: unknown, where: string): Credentials;

export declare function connectionAgents(settings: ConnectionSettings): HttpAgents;

export declare function defaultCredentials(agents?: HttpAgents, remote?: RemoteOptions): CredentialProvider;

export declare function fileCredentials(path: string): CredentialProvider;

export declare function iotCertificateCredentials(options: IotCertificateOptions): CredentialProvider;

export declare function resultOfAnswer(status: number, exception: string | undefined): number;

export declare function resultOfError(error: unknown): number;

export declare function staticCredentials(credentials: Credentials): CredentialProvider;

export declare function statusName(code: number): StatusName | undefined;
