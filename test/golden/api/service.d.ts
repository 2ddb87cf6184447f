// The API of kinesis-video/service; node tools/api.mjs --write writes this file.

export interface AddressOptions {
    readonly publicEndpoint?: string | Readonly<Record<string, string>>;
    readonly tlsHosts?: readonly string[];
    readonly metricsListen?: number | string;
    readonly trustedProxies?: readonly string[];
}

export interface ApiLogOptions {
    readonly path: string;
    readonly maxBytes?: number;
    readonly keep?: number;
}

export interface FsckOptions {
    readonly keyFile?: string;
    readonly signal?: AbortSignal;
}

export interface FsckReport {
    readonly streams: number;
    readonly fragments: number;
    readonly bytes: number;
    readonly faults: readonly string[];
}

export interface GeneratedCertificate {
    readonly path: string;
    readonly fingerprint: string;
    readonly expires: number;
}

export interface KvsService {
    readonly endpoint: string;
    readonly port: number;
    readonly metricsPort?: number | undefined;
    readonly certificate?: GeneratedCertificate | undefined;
    reload(changes: ReloadOptions): Promise<void>;
    close(): Promise<void>;
}

export interface Limits {
    readonly connections: number;
    readonly connectionsPerAddress: number;
    readonly refusalDelay: number;
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
    readonly readerStall: number;
    readonly readerDuration: number;
    readonly fragmentListReaders: number;
    readonly fragmentsPerList: number;
    readonly hlsSessions: number;
    readonly hlsSessionRate: number;
    readonly bufferDuration: number;
    readonly bufferBytes: number;
}

export type LogLevel = 'info' | 'warn' | 'error';

export interface NewKeyOptions {
    readonly keyId?: string;
    readonly aliases?: readonly string[];
    readonly accountId?: string;
}

export interface Policy {
    readonly Version?: string;
    readonly Statement: PolicyStatement | readonly PolicyStatement[];
}

export interface PolicyStatement {
    readonly Sid?: string;
    readonly Effect: 'Allow' | 'Deny';
    readonly Action: string | readonly string[];
    readonly Resource: string | readonly string[];
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | boolean | readonly (string | boolean)[]>>>>;
}

export interface ReloadOptions {
    readonly credentials?: ServiceCredentials;
    readonly tls?: TlsOptions;
}

export interface ServiceCredential {
    readonly secretAccessKey: string;
    readonly accountId: string;
    readonly userName?: string;
    readonly sessionToken?: string;
    readonly expiration?: number;
    readonly policies?: readonly Policy[];
}

export type ServiceCredentials = Readonly<Record<string, ServiceCredential>> | 'open';

export type ServiceLog = (level: LogLevel, message: string, detail?: Readonly<Record<string, unknown>>) => void;

export interface ServiceOptions extends AddressOptions {
    readonly dataDir: string;
    readonly host?: string;
    readonly port?: number;
    readonly tls?: TlsOptions | 'generated';
    readonly credentials?: ServiceCredentials;
    readonly region?: string;
    readonly limits?: 'off' | Partial<Limits>;
    readonly fsync?: 'each' | 'group';
    readonly diskQuota?: number;
    readonly dump?: string;
    readonly apiLog?: string | ApiLogOptions;
    readonly onEvent?: string;
    readonly keyFile?: string;
    readonly requestTimeoutMs?: number;
    readonly log?: ServiceLog;
    readonly clock?: Clock;
}

export interface TlsOptions {
    readonly key: string | Uint8Array;
    readonly cert: string | Uint8Array;
}

export declare function createKey(keyFile: string, options?: NewKeyOptions): Promise<string>;

export declare function fsck(dataDir: string, options?: FsckOptions): Promise<FsckReport>;

export declare function parsePolicy(value: unknown, where: string): Policy;

export declare function rotateKey(keyFile: string, keyId: string): Promise<number>;

export declare function startService(options: ServiceOptions): Promise<KvsService>;
