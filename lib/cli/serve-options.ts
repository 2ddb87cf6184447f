import { homedir } from 'node:os';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { byteCount, portNumber, publicEndpoint } from './arguments.js';
import type { ServeFiles } from './serve-files.js';
import { LOG_FORMATS, type LogFormat } from './service-log.js';

/** What `kvs serve` is told. */
export interface ServeFlags extends ServeFiles {
  readonly port: number;
  readonly host: string;
  readonly publicEndpoint?: Readonly<Record<string, string>>;
  readonly trustedProxy?: readonly string[];
  readonly tlsHost?: readonly string[];
  readonly metricsListen?: string;
  readonly dataDir: string;
  readonly region: string;
  readonly diskQuota?: number;
  readonly dump?: string;
  readonly apiLog?: string;
  readonly onEvent?: string;
  readonly keyFile?: string;
  readonly limits: 'on' | 'off';
  readonly logFormat: LogFormat;
}

const EXAMPLES = `
Examples:
  kvs serve                                     for programs of this machine
  kvs serve --host 0.0.0.0 --credentials keys.json --tls --tls-host nvr.local
                                                for cameras of the house
  kvs serve --credentials keys.json --trusted-proxy 127.0.0.1
                                                behind nginx or Caddy (docs/service-proxy.md)

SIGHUP reads the access keys, policies, the key file and the certificate anew.
Exit codes: 0 it was told to end, 1 it could not start or go on, 2 the arguments are wrong.
`;

/** Adds the options of `kvs serve`. */
export function addServeOptions(command: Command): Command {
  addAddressOptions(command);
  addStorageOptions(command);
  addTlsOptions(command);
  addLogOptions(command);
  return command.addHelpText('after', EXAMPLES);
}

function addAddressOptions(command: Command): void {
  command
    .option('--port <n>', 'TCP port; 0 takes any free one', portNumber, 8443)
    .option('--host <address>', 'address to listen on; 0.0.0.0 for all', '127.0.0.1')
    .option(
      '--public-endpoint <url...>',
      'where clients reach it, or one API (PUT_MEDIA=https://…); default: bound to all addresses, the host they call',
      publicEndpoint,
    )
    .option('--trusted-proxy <ranges...>', 'proxies whose X-Forwarded-For and -Proto are believed')
    .option(
      '--metrics-listen <[address:]port>',
      'answer /metrics, /health and /ready there to anybody, without signatures',
    )
    .option('--region <name>', 'region of ARNs and signatures', 'us-west-2')
    .option(
      '--credentials <file>',
      'access keys that may call; without it anyone on this machine may',
    )
    .addOption(
      new Option('--limits <on|off>', "the guide's service limits")
        .choices(['on', 'off'])
        .default('on'),
    );
}

function addStorageOptions(command: Command): void {
  command
    .option('--data-dir <dir>', 'where streams are kept', join(homedir(), '.kvs', 'data'))
    .option('--disk-quota <size>', 'most that stored media may take, as in 10GB', byteCount)
    .option('--dump <dir>', 'also write every PutMedia body there, as MKV')
    .option(
      '--key-file <file>',
      'master keys of what is stored; default master-keys.json in --data-dir',
    );
}

function addTlsOptions(command: Command): void {
  command
    .option('--tls', 'speak HTTPS with a certificate made for this machine, kept in --data-dir')
    .option('--tls-host <names...>', 'names that this certificate is for, besides localhost')
    .option('--tls-key <file>', 'private key, PEM: the service speaks HTTPS; needs --tls-cert')
    .option('--tls-cert <file>', 'certificate of that key, PEM');
}

function addLogOptions(command: Command): void {
  command
    .option('--api-log <file>', 'write every API call there, one JSON record a line')
    .option(
      '--on-event <url|command>',
      "where producers' events go: a POST of JSON, or a command that gets it on its input",
    )
    .addOption(
      new Option('--log-format <text|json>', 'how the log on stderr is written')
        .choices(LOG_FORMATS)
        .default('text'),
    );
}
