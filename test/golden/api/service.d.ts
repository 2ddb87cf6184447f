// The API of kinesis-video/service; node tools/api.mjs --write writes this file.

export interface KvsService {
    readonly endpoint: string;
    readonly port: number;
    close(): Promise<void>;
}

export interface Limits {
    readonly streamsPerAccount: number;
    readonly tagsPerStream: number;
    readonly accountWriteRate: number;
    readonly accountReadRate: number;
    readonly streamCallRate: number;
    readonly fragmentRate: number;
    readonly putMediaBytesPerSecond: number;
    readonly fragmentDuration: number;
    readonly fragmentBytes: number;
    readonly tracks: number;
    readonly fragmentTags: number;
    readonly framesForEveryTrack: boolean;
    readonly connectionDuration: number;
    readonly idleClose: number;
    readonly getMediaReaders: number;
    readonly getMediaBytesPerSecond: number;
    readonly fragmentListReaders: number;
    readonly fragmentsPerList: number;
    readonly bufferDuration: number;
    readonly bufferBytes: number;
}

export type LogLevel = 'info' | 'warn' | 'error';

export interface ServiceCredential {
    readonly secretAccessKey: string;
    readonly accountId: string;
    readonly userName?: string;
}

export type ServiceCredentials = Readonly<Record<string, ServiceCredential>> | 'open';

export type ServiceLog = (level: LogLevel, message: string, detail?: Readonly<Record<string, unknown>>) => void;

export interface ServiceOptions {
    readonly dataDir: string;
    readonly host?: string;
    readonly port?: number;
    readonly credentials?: ServiceCredentials;
    readonly region?: string;
    readonly limits?: 'off' | Partial<Limits>;
    readonly fsync?: 'each' | 'group';
    readonly dump?: string;
    readonly log?: ServiceLog;
    readonly clock?: Clock;
}

export declare function startService(options: ServiceOptions): Promise<KvsService>;
