import { once } from 'node:events';
import type { Command } from 'commander';
import {
  startService,
  type GeneratedCertificate,
  type KvsService,
  type ServiceLog,
} from '../service/index.js';
import { withInterrupt } from './interrupt.js';
import { readCredentials, readTls } from './serve-files.js';
import { addServeOptions, type ServeFlags } from './serve-options.js';
import { serviceLog } from './service-log.js';
import { ServiceManager } from './service-manager.js';

/** Adds `kvs serve` to the program. */
export function addServeCommand(program: Command): void {
  addServeOptions(
    program.command('serve').description('Run a Kinesis Video Streams service on this machine.'),
  ).action(async (flags: ServeFlags) => {
    let reload = (): void => undefined;
    await withInterrupt(
      (signal) => serve(flags, signal, (whenAsked) => (reload = whenAsked)),
      () => {
        reload();
      },
    );
  });
}

async function serve(
  flags: ServeFlags,
  signal: AbortSignal,
  onReload: (reload: () => void) => void,
): Promise<void> {
  const log = serviceLog(flags.logFormat, (line) => process.stderr.write(line));
  const service = await start(flags, log);
  const manager = new ServiceManager(process.env, log);
  try {
    onReload(() => void reload(service, flags, manager, log));
    process.stdout.write(greeting(service, flags));
    await manager.ready(service.endpoint);
    if (!signal.aborted) await once(signal, 'abort');
    log('info', 'closing');
    await manager.stopping();
  } finally {
    await service.close();
  }
}

/** Reads credentials and certificate anew; where one is bad, everything stays as it was. */
async function reload(
  service: KvsService,
  flags: ServeFlags,
  manager: ServiceManager,
  log: ServiceLog,
): Promise<void> {
  await manager.reloading();
  try {
    const tls = await readTls(flags);
    const credentials = await readCredentials(flags);
    await service.reload({ credentials, ...(typeof tls === 'object' && { tls }) });
  } catch (error) {
    log('error', 'nothing was reloaded; what was read before stays in force', { error });
  }
  await manager.ready(service.endpoint);
}

async function start(flags: ServeFlags, log: ServiceLog): Promise<KvsService> {
  const credentials = await readCredentials(flags);
  const tls = await readTls(flags);
  return startService({
    dataDir: flags.dataDir,
    host: flags.host,
    port: flags.port,
    region: flags.region,
    credentials,
    ...(flags.publicEndpoint === undefined ? {} : { publicEndpoint: flags.publicEndpoint }),
    ...(flags.trustedProxy === undefined ? {} : { trustedProxies: flags.trustedProxy }),
    ...(flags.tlsHost === undefined ? {} : { tlsHosts: flags.tlsHost }),
    ...(flags.metricsListen === undefined ? {} : { metricsListen: flags.metricsListen }),
    ...(flags.limits === 'off' ? { limits: 'off' } : {}),
    ...(flags.diskQuota === undefined ? {} : { diskQuota: flags.diskQuota }),
    ...(flags.dump === undefined ? {} : { dump: flags.dump }),
    ...(tls === undefined ? {} : { tls }),
    ...(flags.apiLog === undefined ? {} : { apiLog: flags.apiLog }),
    ...(flags.onEvent === undefined ? {} : { onEvent: flags.onEvent }),
    ...(flags.keyFile === undefined ? {} : { keyFile: flags.keyFile }),
    log,
  });
}

function greeting({ endpoint, certificate }: KvsService, flags: ServeFlags): string {
  const keys =
    flags.credentials === undefined
      ? 'Any access key is taken.'
      : `Access keys: those in ${flags.credentials}.`;
  return `KVS service at ${endpoint}
Data directory: ${flags.dataDir}
${keys}
${certificate === undefined ? plainHttp(endpoint, flags) : trust(certificate)}
Point a client at it:
  AWS_ENDPOINT_URL=${endpoint} AWS_REGION=${flags.region}
  aws kinesisvideo list-streams --endpoint-url ${endpoint} --region ${flags.region}
  new KinesisVideoClient({ endpoint: '${endpoint}', region: '${flags.region}' })
  KinesisVideoProducer.create({ endpoint: '${endpoint}', region: '${flags.region}' })

Ctrl-C closes it.
`;
}

/** Those who are let in by their keys should know that others may listen. */
function plainHttp(endpoint: string, flags: ServeFlags): string {
  if (flags.credentials === undefined || endpoint.startsWith('https:')) return '';
  return `Plain HTTP: others on the way can read what is sent. For HTTPS:
  kvs serve --tls   (or --tls-key FILE --tls-cert FILE)
`;
}

function trust({ path, fingerprint, expires }: GeneratedCertificate): string {
  return `Certificate: ${path}, until ${new Date(expires).toISOString().slice(0, 10)}
SHA-256 fingerprint: ${fingerprint}
Clients trust it with NODE_EXTRA_CA_CERTS=${path} (AWS command line: AWS_CA_BUNDLE=${path})
`;
}
