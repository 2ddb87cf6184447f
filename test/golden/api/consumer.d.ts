// The API of kinesis-video/consumer; node tools/api.mjs --write writes this file.

export interface Backoff {
    readonly firstMs?: number;
    readonly longestMs?: number;
}

export type DataApi = 'GET_MEDIA' | 'LIST_FRAGMENTS' | 'GET_MEDIA_FOR_FRAGMENT_LIST' | 'GET_HLS_STREAMING_SESSION_URL';

export interface FragmentInfo {
    readonly fragmentNumber: string;
    readonly size: number;
    readonly producerTimestampMs: number;
    readonly serverTimestampMs: number;
    readonly durationMs: number;
}

export interface FragmentRange {
    readonly timestamps?: 'producer' | 'server';
    readonly from: number;
    readonly to: number;
}

export declare class FrameTransform extends Transform {
    #private;
    constructor(options?: Pick<FrameReaderOptions, 'maxBlockBytes' | 'verifyCrc'>);
    _transform(chunk: Uint8Array, _: BufferEncoding, done: TransformCallback): void;
    _flush(done: TransformCallback): void;
}

export interface GetMediaForFragmentsOptions extends StreamConnection {
    readonly fragments: Iterable<string>;
    readonly workers?: number;
    readonly batchSize?: number;
    readonly signal?: AbortSignal;
}

export declare class GetMediaReader {
    #private;
    constructor(options: GetMediaReaderOptions);
    get continuationToken(): string | undefined;
    frames(onFragmentEnd?: (fragment: FragmentMetadata) => void): AsyncGenerator<MediaFrame, void, undefined>;
    events(): AsyncGenerator<StreamEvent, void, undefined>;
}

export interface GetMediaReaderOptions extends StreamConnection {
    readonly start?: MediaStart;
    readonly signal?: AbortSignal;
    readonly reconnect?: 'always' | 'never';
    readonly maxFailures?: number;
    readonly backoff?: Backoff;
    readonly onReconnect?: (notice: ReconnectNotice) => void;
}

export interface HlsUrlOptions extends StreamConnection {
    readonly mode?: 'live' | 'onDemand';
    readonly range?: FragmentRange;
    readonly expires?: number;
    readonly maxFragments?: number;
    readonly discontinuity?: 'always' | 'never';
    readonly signal?: AbortSignal;
}

export interface ListFragmentsOptions extends StreamConnection {
    readonly range?: FragmentRange;
    readonly pageSize?: number;
    readonly signal?: AbortSignal;
}

export type MediaStart = {
    readonly kind: 'earliest';
} | {
    readonly kind: 'now';
} | {
    readonly kind: 'fragment';
    readonly fragmentNumber: string;
} | {
    readonly kind: 'token';
    readonly continuationToken: string;
} | {
    readonly kind: 'serverTime';
    readonly time: number;
} | {
    readonly kind: 'producerTime';
    readonly time: number;
};

export interface ReconnectNotice {
    readonly failures: number;
    readonly error: KvsError | undefined;
    readonly start: MediaStart;
}

export interface SaveClipOptions extends StreamConnection {
    readonly range: FragmentRange;
    readonly path: string;
    readonly format?: 'mkv' | 'mp4';
    readonly workers?: number;
    readonly signal?: AbortSignal;
}

export interface SavedClip {
    readonly path: string;
    readonly fragments: readonly FragmentInfo[];
    readonly frames: number;
    readonly durationMs: number;
}

export interface StreamConnection {
    readonly streamName?: string;
    readonly streamArn?: string;
    readonly region?: string;
    readonly endpoint?: string;
    readonly dataEndpoint?: string;
    readonly credentials?: Credentials | CredentialProvider;
}

export type StreamEvent = Exclude<MediaEvent, {
    readonly kind: 'error';
}>;

export declare function getMediaForFragments(options: GetMediaForFragmentsOptions): AsyncGenerator<Uint8Array, void, undefined>;

export declare function hlsUrl(options: HlsUrlOptions): Promise<string>;

export declare function listFragments(options: ListFragmentsOptions): AsyncGenerator<FragmentInfo, void, undefined>;

export declare function saveClip(options: SaveClipOptions): Promise<SavedClip>;
