// The API of kinesis-video/parser; node tools/api.mjs --write writes this file.

export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | ReadableStream<Uint8Array>;

export declare class CompositeMkvElementVisitor implements MkvElementVisitor {
    #private;
    constructor(...visitors: readonly MkvElementVisitor[]);
    visit(event: MkvEvent): void;
    isDone(): boolean;
}

export declare class CopyVisitor implements MkvElementVisitor {
    #private;
    constructor(write: WriteBytes);
    visit(event: MkvEvent): void;
}

export declare const FOR_COPYING: Readonly<Pick<MkvReaderOptions, 'capture' | 'unknown'>>;

export interface FragmentMetadata {
    readonly fragmentNumber: string | undefined;
    readonly serverTimestampMs: number | undefined;
    readonly producerTimestampMs: number | undefined;
    readonly millisBehindNow: number | undefined;
    readonly continuationToken: string | undefined;
    readonly clusterTimecodeMs: number | undefined;
    readonly tags: readonly MkvTag[];
    readonly errors: readonly InBandError[];
}

export declare class FragmentMetadataVisitor implements MkvElementVisitor {
    #private;
    get tracks(): ReadonlyMap<number, MkvTrack>;
    get fragment(): FragmentMetadata | undefined;
    get continuationToken(): string | undefined;
    get millisBehindNow(): number | undefined;
    visit(event: MkvEvent): void;
    finish(): void;
    takeError(): InBandError | undefined;
}

export declare class FrameReader {
    #private;
    constructor(options?: FrameReaderOptions);
    get metadata(): FragmentMetadataVisitor;
    push(bytes: Uint8Array): void;
    end(): void;
    next(): MediaEvent | undefined;
}

export interface FrameReaderOptions {
    readonly lend?: boolean;
    readonly pieces?: boolean;
    readonly maxBlockBytes?: number;
    readonly verifyCrc?: boolean;
}

export declare class FrameVisitor implements MkvElementVisitor {
    #private;
    constructor(options: FrameVisitorOptions);
    get metadata(): FragmentMetadataVisitor;
    visit(event: MkvEvent): void;
    finish(): void;
}

export interface FrameVisitorOptions {
    readonly onFrame: (frame: MediaFrame) => void;
    readonly onFragmentEnd?: (fragment: FragmentMetadata) => void;
    readonly onError?: (error: KvsError) => void;
    readonly lend?: boolean;
}

export interface InBandError {
    readonly id: number | undefined;
    readonly code: string | undefined;
    readonly fragmentNumber: string | undefined;
}

export declare const KVS_TAG: {
    readonly FRAGMENT_NUMBER: "AWS_KINESISVIDEO_FRAGMENT_NUMBER";
    readonly SERVER_TIMESTAMP: "AWS_KINESISVIDEO_SERVER_TIMESTAMP";
    readonly PRODUCER_TIMESTAMP: "AWS_KINESISVIDEO_PRODUCER_TIMESTAMP";
    readonly MILLIS_BEHIND_NOW: "AWS_KINESISVIDEO_MILLIS_BEHIND_NOW";
    readonly CONTINUATION_TOKEN: "AWS_KINESISVIDEO_CONTINUATION_TOKEN";
    readonly ERROR_CODE: "AWS_KINESISVIDEO_ERROR_CODE";
    readonly ERROR_ID: "AWS_KINESISVIDEO_ERROR_ID";
    readonly SERVER_SIDE_TIMESTAMP: "AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP";
    readonly PRODUCER_SIDE_TIMESTAMP: "AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP";
    readonly EXCEPTION_ERROR_CODE: "AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE";
    readonly EXCEPTION_MESSAGE: "AWS_KINESISVIDEO_EXCEPTION_MESSAGE";
    readonly END_OF_FRAGMENT: "AWS_KINESISVIDEO_END_OF_FRAGMENT";
};

export declare const KVS_TAG_PREFIX = "AWS_KINESISVIDEO_";

export declare const MKV_ELEMENTS: Readonly<Record<MkvElementName, MkvElementType>>;

export declare const MKV_ID: {
    readonly VOID: 236;
    readonly CRC32: 191;
    readonly EBML: 440786851;
    readonly EBML_VERSION: 17030;
    readonly EBML_READ_VERSION: 17143;
    readonly EBML_MAX_ID_LENGTH: 17138;
    readonly EBML_MAX_SIZE_LENGTH: 17139;
    readonly DOC_TYPE: 17026;
    readonly DOC_TYPE_VERSION: 17031;
    readonly DOC_TYPE_READ_VERSION: 17029;
    readonly DOC_TYPE_EXTENSION: 17025;
    readonly DOC_TYPE_EXTENSION_NAME: 17027;
    readonly DOC_TYPE_EXTENSION_VERSION: 17028;
    readonly SEGMENT: 408125543;
    readonly SEEK_HEAD: 290298740;
    readonly SEEK: 19899;
    readonly SEEK_ID: 21419;
    readonly SEEK_POSITION: 21420;
    readonly INFO: 357149030;
    readonly SEGMENT_UUID: 29604;
    readonly SEGMENT_FILENAME: 29572;
    readonly PREV_UUID: 3979555;
    readonly PREV_FILENAME: 3965867;
    readonly NEXT_UUID: 4110627;
    readonly NEXT_FILENAME: 4096955;
    readonly SEGMENT_FAMILY: 17476;
    readonly CHAPTER_TRANSLATE: 26916;
    readonly CHAPTER_TRANSLATE_ID: 27045;
    readonly CHAPTER_TRANSLATE_CODEC: 27071;
    readonly CHAPTER_TRANSLATE_EDITION_UID: 27132;
    readonly TIMESTAMP_SCALE: 2807729;
    readonly DURATION: 17545;
    readonly DATE_UTC: 17505;
    readonly TITLE: 31657;
    readonly MUXING_APP: 19840;
    readonly WRITING_APP: 22337;
    readonly CLUSTER: 524531317;
    readonly TIMESTAMP: 231;
    readonly SILENT_TRACKS: 22612;
    readonly SILENT_TRACK_NUMBER: 22743;
    readonly POSITION: 167;
    readonly PREV_SIZE: 171;
    readonly SIMPLE_BLOCK: 163;
    readonly ENCRYPTED_BLOCK: 175;
    readonly BLOCK_GROUP: 160;
    readonly BLOCK: 161;
    readonly BLOCK_VIRTUAL: 162;
    readonly BLOCK_ADDITIONS: 30113;
    readonly BLOCK_MORE: 166;
    readonly BLOCK_ADDITIONAL: 165;
    readonly BLOCK_ADD_ID: 238;
    readonly BLOCK_DURATION: 155;
    readonly REFERENCE_PRIORITY: 250;
    readonly REFERENCE_BLOCK: 251;
    readonly REFERENCE_VIRTUAL: 253;
    readonly CODEC_STATE: 164;
    readonly DISCARD_PADDING: 30114;
    readonly SLICES: 142;
    readonly TIME_SLICE: 232;
    readonly LACE_NUMBER: 204;
    readonly FRAME_NUMBER: 205;
    readonly BLOCK_ADDITION_ID: 203;
    readonly SLICE_DELAY: 206;
    readonly SLICE_DURATION: 207;
    readonly REFERENCE_FRAME: 200;
    readonly REFERENCE_OFFSET: 201;
    readonly REFERENCE_TIMESTAMP: 202;
    readonly TRACKS: 374648427;
    readonly TRACK_ENTRY: 174;
    readonly TRACK_NUMBER: 215;
    readonly TRACK_UID: 29637;
    readonly TRACK_TYPE: 131;
    readonly FLAG_ENABLED: 185;
    readonly FLAG_DEFAULT: 136;
    readonly FLAG_FORCED: 21930;
    readonly FLAG_HEARING_IMPAIRED: 21931;
    readonly FLAG_VISUAL_IMPAIRED: 21932;
    readonly FLAG_TEXT_DESCRIPTIONS: 21933;
    readonly FLAG_ORIGINAL: 21934;
    readonly FLAG_COMMENTARY: 21935;
    readonly FLAG_LACING: 156;
    readonly MIN_CACHE: 28135;
    readonly MAX_CACHE: 28152;
    readonly DEFAULT_DURATION: 2352003;
    readonly DEFAULT_DECODED_FIELD_DURATION: 2313850;
    readonly TRACK_TIMESTAMP_SCALE: 2306383;
    readonly TRACK_OFFSET: 21375;
    readonly MAX_BLOCK_ADDITION_ID: 21998;
    readonly BLOCK_ADDITION_MAPPING: 16868;
    readonly BLOCK_ADD_ID_VALUE: 16880;
    readonly BLOCK_ADD_ID_NAME: 16804;
    readonly BLOCK_ADD_ID_TYPE: 16871;
    readonly BLOCK_ADD_ID_EXTRA_DATA: 16877;
    readonly NAME: 21358;
    readonly LANGUAGE: 2274716;
    readonly LANGUAGE_BCP47: 2274717;
    readonly CODEC_ID: 134;
    readonly CODEC_PRIVATE: 25506;
    readonly CODEC_NAME: 2459272;
    readonly CODEC_SETTINGS: 3839639;
    readonly CODEC_INFO_URL: 3883072;
    readonly CODEC_DOWNLOAD_URL: 2536000;
    readonly CODEC_DECODE_ALL: 170;
    readonly ATTACHMENT_LINK: 29766;
    readonly TRACK_OVERLAY: 28587;
    readonly CODEC_DELAY: 22186;
    readonly SEEK_PRE_ROLL: 22203;
    readonly TRACK_TRANSLATE: 26148;
    readonly TRACK_TRANSLATE_TRACK_ID: 26277;
    readonly TRACK_TRANSLATE_CODEC: 26303;
    readonly TRACK_TRANSLATE_EDITION_UID: 26364;
    readonly TRICK_TRACK_UID: 192;
    readonly TRICK_TRACK_SEGMENT_UID: 193;
    readonly TRICK_TRACK_FLAG: 198;
    readonly TRICK_MASTER_TRACK_UID: 199;
    readonly TRICK_MASTER_TRACK_SEGMENT_UID: 196;
    readonly VIDEO: 224;
    readonly FLAG_INTERLACED: 154;
    readonly FIELD_ORDER: 157;
    readonly STEREO_MODE: 21432;
    readonly OLD_STEREO_MODE: 21433;
    readonly ALPHA_MODE: 21440;
    readonly PIXEL_WIDTH: 176;
    readonly PIXEL_HEIGHT: 186;
    readonly PIXEL_CROP_BOTTOM: 21674;
    readonly PIXEL_CROP_TOP: 21691;
    readonly PIXEL_CROP_LEFT: 21708;
    readonly PIXEL_CROP_RIGHT: 21725;
    readonly DISPLAY_WIDTH: 21680;
    readonly DISPLAY_HEIGHT: 21690;
    readonly DISPLAY_UNIT: 21682;
    readonly ASPECT_RATIO_TYPE: 21683;
    readonly UNCOMPRESSED_FOURCC: 3061028;
    readonly GAMMA_VALUE: 3126563;
    readonly FRAME_RATE: 2327523;
    readonly COLOUR: 21936;
    readonly MATRIX_COEFFICIENTS: 21937;
    readonly BITS_PER_CHANNEL: 21938;
    readonly CHROMA_SUBSAMPLING_HORZ: 21939;
    readonly CHROMA_SUBSAMPLING_VERT: 21940;
    readonly CB_SUBSAMPLING_HORZ: 21941;
    readonly CB_SUBSAMPLING_VERT: 21942;
    readonly CHROMA_SITING_HORZ: 21943;
    readonly CHROMA_SITING_VERT: 21944;
    readonly RANGE: 21945;
    readonly TRANSFER_CHARACTERISTICS: 21946;
    readonly PRIMARIES: 21947;
    readonly MAX_CLL: 21948;
    readonly MAX_FALL: 21949;
    readonly MASTERING_METADATA: 21968;
    readonly PRIMARY_R_CHROMATICITY_X: 21969;
    readonly PRIMARY_R_CHROMATICITY_Y: 21970;
    readonly PRIMARY_G_CHROMATICITY_X: 21971;
    readonly PRIMARY_G_CHROMATICITY_Y: 21972;
    readonly PRIMARY_B_CHROMATICITY_X: 21973;
    readonly PRIMARY_B_CHROMATICITY_Y: 21974;
    readonly WHITE_POINT_CHROMATICITY_X: 21975;
    readonly WHITE_POINT_CHROMATICITY_Y: 21976;
    readonly LUMINANCE_MAX: 21977;
    readonly LUMINANCE_MIN: 21978;
    readonly PROJECTION: 30320;
    readonly PROJECTION_TYPE: 30321;
    readonly PROJECTION_PRIVATE: 30322;
    readonly PROJECTION_POSE_YAW: 30323;
    readonly PROJECTION_POSE_PITCH: 30324;
    readonly PROJECTION_POSE_ROLL: 30325;
    readonly AUDIO: 225;
    readonly SAMPLING_FREQUENCY: 181;
    readonly OUTPUT_SAMPLING_FREQUENCY: 30901;
    readonly CHANNELS: 159;
    readonly CHANNEL_POSITIONS: 32123;
    readonly BIT_DEPTH: 25188;
    readonly EMPHASIS: 21233;
    readonly TRACK_OPERATION: 226;
    readonly TRACK_COMBINE_PLANES: 227;
    readonly TRACK_PLANE: 228;
    readonly TRACK_PLANE_UID: 229;
    readonly TRACK_PLANE_TYPE: 230;
    readonly TRACK_JOIN_BLOCKS: 233;
    readonly TRACK_JOIN_UID: 237;
    readonly CONTENT_ENCODINGS: 28032;
    readonly CONTENT_ENCODING: 25152;
    readonly CONTENT_ENCODING_ORDER: 20529;
    readonly CONTENT_ENCODING_SCOPE: 20530;
    readonly CONTENT_ENCODING_TYPE: 20531;
    readonly CONTENT_COMPRESSION: 20532;
    readonly CONTENT_COMP_ALGO: 16980;
    readonly CONTENT_COMP_SETTINGS: 16981;
    readonly CONTENT_ENCRYPTION: 20533;
    readonly CONTENT_ENC_ALGO: 18401;
    readonly CONTENT_ENC_KEY_ID: 18402;
    readonly CONTENT_SIGNATURE: 18403;
    readonly CONTENT_SIG_KEY_ID: 18404;
    readonly CONTENT_SIG_ALGO: 18405;
    readonly CONTENT_SIG_HASH_ALGO: 18406;
    readonly CONTENT_ENC_AES_SETTINGS: 18407;
    readonly AES_SETTINGS_CIPHER_MODE: 18408;
    readonly CUES: 475249515;
    readonly CUE_POINT: 187;
    readonly CUE_TIME: 179;
    readonly CUE_TRACK_POSITIONS: 183;
    readonly CUE_TRACK: 247;
    readonly CUE_CLUSTER_POSITION: 241;
    readonly CUE_RELATIVE_POSITION: 240;
    readonly CUE_DURATION: 178;
    readonly CUE_BLOCK_NUMBER: 21368;
    readonly CUE_CODEC_STATE: 234;
    readonly CUE_REFERENCE: 219;
    readonly CUE_REF_TIME: 150;
    readonly CUE_REF_CLUSTER: 151;
    readonly CUE_REF_NUMBER: 21343;
    readonly CUE_REF_CODEC_STATE: 235;
    readonly ATTACHMENTS: 423732329;
    readonly ATTACHED_FILE: 24999;
    readonly FILE_DESCRIPTION: 18046;
    readonly FILE_NAME: 18030;
    readonly FILE_MEDIA_TYPE: 18016;
    readonly FILE_DATA: 18012;
    readonly FILE_UID: 18094;
    readonly FILE_REFERRAL: 18037;
    readonly FILE_USED_START_TIME: 18017;
    readonly FILE_USED_END_TIME: 18018;
    readonly CHAPTERS: 272869232;
    readonly EDITION_ENTRY: 17849;
    readonly EDITION_UID: 17852;
    readonly EDITION_FLAG_HIDDEN: 17853;
    readonly EDITION_FLAG_DEFAULT: 17883;
    readonly EDITION_FLAG_ORDERED: 17885;
    readonly EDITION_DISPLAY: 17696;
    readonly EDITION_STRING: 17697;
    readonly EDITION_LANGUAGE_IETF: 17892;
    readonly CHAPTER_ATOM: 182;
    readonly CHAPTER_UID: 29636;
    readonly CHAPTER_STRING_UID: 22100;
    readonly CHAPTER_TIME_START: 145;
    readonly CHAPTER_TIME_END: 146;
    readonly CHAPTER_FLAG_HIDDEN: 152;
    readonly CHAPTER_FLAG_ENABLED: 17816;
    readonly CHAPTER_SEGMENT_UUID: 28263;
    readonly CHAPTER_SKIP_TYPE: 17800;
    readonly CHAPTER_SEGMENT_EDITION_UID: 28348;
    readonly CHAPTER_PHYSICAL_EQUIV: 25539;
    readonly CHAPTER_TRACK: 143;
    readonly CHAPTER_TRACK_UID: 137;
    readonly CHAPTER_DISPLAY: 128;
    readonly CHAP_STRING: 133;
    readonly CHAP_LANGUAGE: 17276;
    readonly CHAP_LANGUAGE_BCP47: 17277;
    readonly CHAP_COUNTRY: 17278;
    readonly CHAP_PROCESS: 26948;
    readonly CHAP_PROCESS_CODEC_ID: 26965;
    readonly CHAP_PROCESS_PRIVATE: 17677;
    readonly CHAP_PROCESS_COMMAND: 26897;
    readonly CHAP_PROCESS_TIME: 26914;
    readonly CHAP_PROCESS_DATA: 26931;
    readonly TAGS: 307544935;
    readonly TAG: 29555;
    readonly TARGETS: 25536;
    readonly TARGET_TYPE_VALUE: 26826;
    readonly TARGET_TYPE: 25546;
    readonly TAG_TRACK_UID: 25541;
    readonly TAG_EDITION_UID: 25545;
    readonly TAG_CHAPTER_UID: 25540;
    readonly TAG_ATTACHMENT_UID: 25542;
    readonly SIMPLE_TAG: 26568;
    readonly TAG_NAME: 17827;
    readonly TAG_LANGUAGE: 17530;
    readonly TAG_LANGUAGE_BCP47: 17531;
    readonly TAG_DEFAULT: 17540;
    readonly TAG_DEFAULT_BOGUS: 17588;
    readonly TAG_STRING: 17543;
    readonly TAG_BINARY: 17541;
};

export type MediaEvent = MediaFrame | {
    readonly kind: 'fragmentEnd';
    readonly fragment: FragmentMetadata;
} | {
    readonly kind: 'error';
    readonly error: KvsError;
};

export interface MediaFrame {
    readonly kind: 'frame';
    readonly trackNumber: number;
    readonly timecodeMs: number;
    readonly durationMs: number | undefined;
    readonly keyFrame: boolean;
    readonly discardable: boolean;
    readonly invisible: boolean;
    readonly data: Uint8Array;
    readonly pieces?: readonly Uint8Array[] | undefined;
    readonly fragment: FragmentMetadata | undefined;
    readonly track: MkvTrack | undefined;
    readonly clusterTimecodeMs: number;
}

export interface MergeSegmentsOptions extends Omit<OutputSegmentMergerOptions, 'write'> {
    readonly signal?: AbortSignal;
}

export interface MkvBlock {
    readonly trackNumber: number;
    readonly timecode: number;
    readonly keyFrame: boolean;
    readonly invisible: boolean;
    readonly discardable: boolean;
    readonly lacing: MkvLacing;
    readonly frames: readonly Uint8Array[];
}

export type MkvCapture = 'whole' | 'stream' | 'skip';

export interface MkvData {
    readonly kind: 'data';
    readonly element: MkvElementType;
    readonly id: number;
    readonly offset: number;
    readonly bytes: Uint8Array;
    readonly last: boolean;
}

export interface MkvDataElement extends Head {
    readonly kind: 'element';
    readonly size: number;
    readonly data: Uint8Array;
}

export type MkvElementName = keyof typeof MKV_ID;

export interface MkvElementType {
    readonly name: MkvElementName | 'UNKNOWN';
    readonly id: number;
    readonly type: MkvValueType;
    readonly parent: MkvElementName | 'ROOT' | 'GLOBAL';
    readonly recursive: boolean;
}

export interface MkvElementVisitor {
    visit(event: MkvEvent): void;
    isDone?(): boolean;
}

export type MkvEvent = MkvMasterStart | MkvMasterEnd | MkvDataElement | MkvStreamStart | MkvData | MkvSkipped;

export type MkvLacing = 'none' | 'xiph' | 'fixed' | 'ebml';

export interface MkvMasterEnd {
    readonly kind: 'masterEnd';
    readonly element: MkvElementType;
    readonly id: number;
    readonly offset: number;
    readonly depth: number;
}

export interface MkvMasterStart extends Head {
    readonly kind: 'masterStart';
    readonly size: number | undefined;
}

export interface MkvReaderOptions {
    readonly capture?: (element: MkvElementType) => MkvCapture;
    readonly unknown?: MkvCapture;
    readonly maxCaptureBytes?: number;
    readonly maxBlockBytes?: number;
    readonly verifyCrc?: boolean;
    readonly maxDepth?: number;
}

export interface MkvSkipped extends Head {
    readonly kind: 'skipped';
    readonly size: number;
}

export interface MkvStreamStart extends Head {
    readonly kind: 'streamStart';
    readonly size: number;
}

export interface MkvTag {
    readonly name: string;
    readonly value: string;
}

export interface MkvTrack {
    readonly number: number;
    readonly uid: bigint;
    readonly type: number;
    readonly codecId: string;
    readonly codecPrivate: Uint8Array | undefined;
    readonly name: string | undefined;
    readonly pixelWidth: number | undefined;
    readonly pixelHeight: number | undefined;
    readonly samplingFrequency: number | undefined;
    readonly channels: number | undefined;
    readonly bitDepth: number | undefined;
    readonly defaultDurationMs: number | undefined;
    readonly codecDelayMs: number | undefined;
}

export type MkvValueType = 'binary' | 'master' | 'uint' | 'string' | 'utf8' | 'float' | 'date' | 'int';

export interface OutputSegment {
    readonly index: number;
    readonly tracks: ReadonlyMap<number, MkvTrack>;
}

export declare class OutputSegmentMerger implements MkvElementVisitor {
    #private;
    constructor(options: OutputSegmentMergerOptions);
    get segments(): number;
    isDone(): boolean;
    visit(event: MkvEvent): void;
}

export interface OutputSegmentMergerOptions {
    readonly write: WriteBytes;
    readonly onSegment?: (segment: OutputSegment) => void;
    readonly stopAtFirstNonMatching?: boolean;
    readonly tags?: 'keep' | 'drop';
    readonly times?: 'keep' | 'fromZero';
}

export interface ReadFramesCallbacks {
    readonly onFragmentEnd?: (fragment: FragmentMetadata) => void;
    readonly onError?: (error: KvsError) => void;
}

export interface ReadFramesOptions extends FrameReaderOptions {
    readonly signal?: AbortSignal;
}

export declare class StreamingMkvReader {
    #private;
    constructor(options?: MkvReaderOptions);
    get offset(): number;
    get finished(): boolean;
    push(bytes: Uint8Array): void;
    end(): void;
    next(): MkvEvent | undefined;
}

export declare const UNKNOWN_ELEMENT: Readonly<MkvElementType>;

export type WriteBytes = (bytes: Uint8Array) => void;

export declare function applyVisitor(reader: StreamingMkvReader, visitor: MkvElementVisitor): void;

export declare function frameTransformStream(options?: Pick<FrameReaderOptions, 'maxBlockBytes'>): TransformStream<Uint8Array, MediaFrame>;

export declare function inBandKvsError(error: InBandError): KvsError;

export declare function mergeSegments(source: ByteSource, options?: MergeSegmentsOptions): AsyncGenerator<Uint8Array, void, undefined>;

export declare function mergeTransformStream(options?: Omit<OutputSegmentMergerOptions, 'write'>): TransformStream<Uint8Array, Uint8Array>;

export declare function mkvElement(id: number): MkvElementType;

export declare function parseBlock(data: Uint8Array, offset?: number): MkvBlock;

export declare function readDate(data: Uint8Array): Date;

export declare function readFloat(data: Uint8Array): number;

export declare function readFrames(source: ByteSource, options?: ReadFramesOptions & ReadFramesCallbacks): AsyncGenerator<MediaFrame, void, undefined>;

export declare function readInt(data: Uint8Array): number;

export declare function readMedia(source: ByteSource, options?: ReadFramesOptions): AsyncGenerator<MediaEvent, void, undefined>;

export declare function readString(data: Uint8Array): string;

export declare function readUint(data: Uint8Array): number;

export declare function readUint64(data: Uint8Array): bigint;

export declare function writeElement(id: number, ...parts: readonly Uint8Array[]): Uint8Array;

export declare function writeFloat(id: number, value: number): Uint8Array;

export declare function writeHeader(id: number, size: number | undefined, headerLength?: number): Uint8Array;

export declare function writeUint(id: number, value: number | bigint): Uint8Array;
