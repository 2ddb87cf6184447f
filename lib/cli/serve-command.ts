import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { KvsError } from '../base/errors.js';
import {
  startService,
  type GeneratedCertificate,
  type KvsService,
  type TlsOptions,
} from '../service/index.js';
import { byteCount, portNumber, publicEndpoint } from './arguments.js';
import { readCredentialsFile } from './credentials-file.js';
import { logLine } from './log-line.js';
import { withInterrupt } from './interrupt.js';

interface ServeFlags {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  readonly publicEndpoint?: Readonly<Record<string, string>>;
  readonly trustedProxy?: readonly string[];
  readonly tlsHost?: readonly string[];
  readonly region: string;
  readonly credentials?: string;
  readonly diskQuota?: number;
  readonly dump?: string;
  readonly apiLog?: string;
  readonly keyFile?: string;
  readonly tls?: boolean;
  readonly tlsKey?: string;
  readonly tlsCert?: string;
  readonly limits: 'on' | 'off';
}

/** Adds `kvs serve` to the program. */
export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('Run a Kinesis Video Streams service on this machine.')
    .option('--port <n>', 'TCP port; 0 takes any free one', portNumber, 8443)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--public-endpoint <[API=]url...>',
      'where clients reach it, for all APIs or one (PUT_MEDIA=https://…); default the host they call',
      publicEndpoint,
    )
    .option('--trusted-proxy <ranges...>', 'proxies whose X-Forwarded-For and -Proto are believed')
    .option('--data-dir <dir>', 'where streams are kept', join(homedir(), '.kvs', 'data'))
    .option('--region <name>', 'region of ARNs and signatures', 'us-west-2')
    .option(
      '--credentials <file>',
      'access keys that may call; without it anyone on this machine may',
    )
    .option('--disk-quota <size>', 'most that stored media may take, as in 10GB', byteCount)
    .option('--dump <dir>', 'also write every PutMedia body there, as MKV')
    .option('--tls', 'speak HTTPS with a certificate made for this machine, kept in --data-dir')
    .option('--tls-host <names...>', 'names that this certificate is for, besides localhost')
    .option('--tls-key <file>', 'private key, PEM: the service speaks HTTPS; needs --tls-cert')
    .option('--tls-cert <file>', 'certificate of that key, PEM')
    .option('--api-log <file>', 'write every API call there, one JSON record a line')
    .option(
      '--key-file <file>',
      'master keys of what is stored; default master-keys.json in --data-dir',
    )
    .addOption(
      program
        .createOption('--limits <on|off>', "the guide's service limits")
        .choices(['on', 'off'])
        .default('on'),
    )
    .action(async (flags: ServeFlags) => {
      await withInterrupt((signal) => serve(flags, signal));
    });
}

async function serve(flags: ServeFlags, signal: AbortSignal): Promise<void> {
  const credentials =
    flags.credentials === undefined
      ? ('open' as const)
      : await readCredentialsFile(flags.credentials);
  const tls = await readTls(flags);
  const service = await startService({
    dataDir: flags.dataDir,
    host: flags.host,
    port: flags.port,
    region: flags.region,
    credentials,
    ...(flags.publicEndpoint === undefined ? {} : { publicEndpoint: flags.publicEndpoint }),
    ...(flags.trustedProxy === undefined ? {} : { trustedProxies: flags.trustedProxy }),
    ...(flags.tlsHost === undefined ? {} : { tlsHosts: flags.tlsHost }),
    ...(flags.limits === 'off' ? { limits: 'off' } : {}),
    ...(flags.diskQuota === undefined ? {} : { diskQuota: flags.diskQuota }),
    ...(flags.dump === undefined ? {} : { dump: flags.dump }),
    ...(tls === undefined ? {} : { tls }),
    ...(flags.apiLog === undefined ? {} : { apiLog: flags.apiLog }),
    ...(flags.keyFile === undefined ? {} : { keyFile: flags.keyFile }),
    log: (...line) => process.stderr.write(logLine(...line)),
  });
  try {
    process.stdout.write(greeting(service, flags));
    if (!signal.aborted) await once(signal, 'abort');
    process.stderr.write('closing\n');
  } finally {
    await service.close();
  }
}

async function readTls({
  tls,
  tlsKey,
  tlsCert,
}: ServeFlags): Promise<TlsOptions | 'generated' | undefined> {
  if (tls === true && (tlsKey ?? tlsCert) !== undefined) {
    throw new KvsError({
      status: 'STATUS_INVALID_ARG',
      message: '--tls makes a certificate; leave out --tls-key and --tls-cert, or --tls',
    });
  }
  if (tlsKey === undefined && tlsCert === undefined) return tls === true ? 'generated' : undefined;
  if (tlsKey === undefined || tlsCert === undefined) {
    throw new KvsError({
      status: 'STATUS_INVALID_ARG',
      message: 'HTTPS takes both --tls-key and --tls-cert; one of them is missing',
    });
  }
  return { key: await readFile(tlsKey), cert: await readFile(tlsCert) };
}

function greeting({ endpoint, certificate }: KvsService, flags: ServeFlags): string {
  const keys =
    flags.credentials === undefined
      ? 'Any access key is taken.'
      : `Access keys: those in ${flags.credentials}.`;
  return `KVS service at ${endpoint}
Data directory: ${flags.dataDir}
${keys}
${certificate === undefined ? '' : trust(certificate)}
Point a client at it:
  AWS_ENDPOINT_URL_KINESIS_VIDEO=${endpoint} AWS_REGION=${flags.region}
  aws kinesisvideo list-streams --endpoint-url ${endpoint} --region ${flags.region}
  new KinesisVideoClient({ endpoint: '${endpoint}', region: '${flags.region}' })
  KinesisVideoProducer.create({ endpoint: '${endpoint}', region: '${flags.region}' })

Ctrl-C closes it.
`;
}

function trust({ path, fingerprint, expires }: GeneratedCertificate): string {
  return `Certificate: ${path}, until ${new Date(expires).toISOString().slice(0, 10)}
SHA-256 fingerprint: ${fingerprint}
Clients trust it with NODE_EXTRA_CA_CERTS=${path} (AWS command line: AWS_CA_BUNDLE=${path})
`;
}
