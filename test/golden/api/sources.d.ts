// The API of kinesis-video/sources; node tools/api.mjs --write writes this file.

export interface AccessUnit extends ParameterSets {
    readonly bytes: Uint8Array;
    readonly key: boolean;
    readonly sequence: number;
    readonly order: number;
}

export declare class AccessUnitSplitter {
    #private;
    constructor(options?: AccessUnitSplitterOptions);
    get pendingBytes(): number;
    get frameRate(): number | undefined;
    push(chunk: Uint8Array): readonly AccessUnit[];
    end(): readonly AccessUnit[];
}

export interface AccessUnitSplitterOptions {
    readonly codec?: VideoCodec;
}

export declare class AnnexBSplitter extends Transform {
    #private;
    constructor(options?: AnnexBSplitterOptions);
}

export interface AnnexBSplitterOptions {
    readonly codec?: VideoCodec;
    readonly frameRate?: number;
    readonly startMs?: number;
    readonly trackId?: number;
}

export type BytesLike = ArrayBuffer | SharedArrayBuffer | ArrayBufferView;

export interface DecoderConfigLike {
    readonly codec: string;
    readonly description?: BytesLike;
    readonly codedWidth?: number;
    readonly codedHeight?: number;
    readonly sampleRate?: number;
    readonly numberOfChannels?: number;
}

export interface EncodedChunk {
    readonly type: 'key' | 'delta';
    readonly timestamp: number;
    readonly duration?: number | null;
    readonly byteLength?: number;
    copyTo?(destination: Uint8Array): void;
    readonly data?: BytesLike;
}

export interface EncodedChunkOptions {
    readonly timeOriginMs: number;
    readonly trackId?: number;
}

export interface FoundTrack {
    readonly number: number;
    readonly kind: 'video' | 'audio' | 'other';
    readonly codec: string;
    readonly trackId?: number;
    readonly skipped?: string;
    readonly rotation?: number;
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

export interface FramesOptions {
    readonly timeOffsetMs?: number;
    readonly signal?: AbortSignal;
}

export interface MediaFile {
    readonly path: string;
    readonly format: MediaFormat;
    readonly tracks: readonly TrackInfo[];
    readonly found: readonly FoundTrack[];
    readonly warnings: readonly string[];
    readonly nalAdaptationFlags: number;
    readonly contentType: string;
    readonly frameCount: number;
    readonly durationMs: number;
    readonly timeShiftMs: number;
    readonly startMs: number;
    frames(options?: FramesOptions): AsyncGenerator<Frame, void, undefined>;
}

export interface MediaFileOptions {
    readonly frameRate?: number;
    readonly keepEdits?: boolean;
    readonly truncated?: 'read' | 'refuse';
}

export type MediaFormat = 'mp4' | 'matroska' | 'h264' | 'h265' | 'ts' | 'adts' | 'wav' | 'ogg' | 'mp3' | 'flac';

export interface ParameterSets {
    readonly vps?: Uint8Array;
    readonly sps?: Uint8Array;
    readonly pps?: Uint8Array;
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

export type VideoCodec = 'h264' | 'h265';

export declare function fromEncodedChunk(chunk: EncodedChunk, options: EncodedChunkOptions): Frame;

export declare function openMediaFile(path: string, options?: MediaFileOptions): Promise<MediaFile>;

export declare function sampleClip(): string;

export declare function trackFromDecoderConfig(config: DecoderConfigLike, trackId?: number): TrackInfo;
