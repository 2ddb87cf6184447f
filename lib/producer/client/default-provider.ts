import { authoritiesFrom } from '../../providers/ca-bundle.js';
import { loopbackCredentials } from '../../providers/credentials.js';
import { DefaultCallbackProvider } from '../../providers/index.js';
import type { Log } from '../reporting/logger.js';
import { connectionAgents, type HttpAgents } from '../../transport/index.js';
import type { CredentialProvider } from '../../base/credentials.js';
import { refuseOption } from './option-shapes.js';
import type { ProducerOptions } from './options.js';
import { isError } from '../../base/values.js';

/**
 * Makes the provider that calls AWS, or the service at `endpoint`; what the options leave out is
 * looked for in the environment. Throws `KvsError` that names what is wrong. @internal
 */
export function defaultProvider(options: ProducerOptions, log: Log): DefaultCallbackProvider {
  const { transport } = options;
  const { useFipsEndpoint, useDualstackEndpoint, gatherMs } = options;
  if (gatherMs !== undefined && transport !== undefined) {
    const what = 'gatherMs beside transport has no effect; give it to that transport';
    refuseOption('STATUS_INVALID_ARG', what);
  }
  const endpoint = checkEndpoint(options.endpoint ?? endpointFrom());
  const credentials = options.credentials ?? ownCredentials(endpoint, log);
  if (endpoint !== undefined) checkVariants(options, endpoint);
  // A service of one's own is in no region, but calls to it are signed for one.
  const ownRegion = endpoint === undefined ? undefined : 'us-west-2';
  const region = options.region ?? env('AWS_REGION') ?? env('AWS_DEFAULT_REGION') ?? ownRegion;
  return new DefaultCallbackProvider({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(transport === undefined ? {} : { transport }),
    ...(gatherMs === undefined ? {} : { gatherMs }),
    ...agents(options, endpoint),
    ...(useFipsEndpoint === undefined ? {} : { useFipsEndpoint }),
    ...(useDualstackEndpoint === undefined ? {} : { useDualstackEndpoint }),
  });
}

/** The address that the environment gives, by the SDKs' names for it. */
function endpointFrom(): string | undefined {
  if (env('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS')?.toLowerCase() === 'true') return undefined;
  return env('AWS_ENDPOINT_URL_KINESIS_VIDEO') ?? env('AWS_ENDPOINT_URL');
}

/** A service on this machine that asks for no keys is used without any. */
function ownCredentials(endpoint: string | undefined, log: Log): CredentialProvider | undefined {
  if (endpoint === undefined || !isLoopback(endpoint)) return undefined;
  return loopbackCredentials((message) => {
    log.write('info', 'placeholder keys', `${message} (${endpoint})`);
  });
}

/** The user's agents; where there are none, those that the environment's proxies ask for. */
function agents(options: ProducerOptions, endpoint: string | undefined): HttpAgents {
  const { httpAgent, httpsAgent } = options;
  const ca = options.ca ?? authorities();
  // A variable that nothing goes by may be what it wants.
  const direct = endpoint !== undefined && isLoopback(endpoint);
  const plain = endpoint?.startsWith('http:') === true;
  const httpProxy = proxyFrom('HTTP_PROXY', plain && !direct && httpAgent === undefined);
  const httpsProxy = proxyFrom('HTTPS_PROXY', !plain && !direct && httpsAgent === undefined);
  const noProxy = env('NO_PROXY') ?? env('no_proxy');
  return {
    ...connectionAgents({
      ...(httpProxy === undefined ? {} : { httpProxy }),
      ...(httpsProxy === undefined ? {} : { httpsProxy }),
      ...(noProxy === undefined ? {} : { noProxy }),
      ...(ca === undefined ? {} : { ca }),
    }),
    ...(httpAgent === undefined ? {} : { httpAgent }),
    ...(httpsAgent === undefined ? {} : { httpsAgent }),
  };
}

function isLoopback(endpoint: string): boolean {
  return /^(localhost|127\.[\d.]+|\[::1\])$/.test(new URL(endpoint).hostname);
}

function proxyFrom(name: string, used: boolean): string | undefined {
  const given = env(name) ?? env(name.toLowerCase());
  if (given === undefined) return undefined;
  // As curl has it, a proxy without a scheme speaks HTTP.
  const proxy = given.includes('://') ? given : `http://${given}`;
  if (URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol)) return proxy;
  if (!used) return undefined;
  return refuseOption(
    'STATUS_INVALID_ARG',
    `the environment's ${name} is no URL of a proxy that speaks HTTP; give one like http://proxy:3128`,
  );
}

/** Those of AWS_CA_BUNDLE, which stand in place of Node's own, and of NODE_EXTRA_CA_CERTS beside them. */
function authorities(): readonly string[] | undefined {
  const path = env('AWS_CA_BUNDLE');
  if (path === undefined) return undefined;
  const more = env('NODE_EXTRA_CA_CERTS');
  try {
    return [path, ...(more === undefined ? [] : [more])].map(authoritiesFrom);
  } catch (cause) {
    const why = isError(cause) ? cause.message : String(cause);
    return refuseOption(
      'STATUS_INVALID_ARG',
      `the environment's AWS_CA_BUNDLE cannot be used: ${why}`,
    );
  }
}

function env(name: string): string | undefined {
  const value = process.env[name];
  return value === '' ? undefined : value;
}

function checkEndpoint(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) return undefined;
  if (URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)) return endpoint;
  return refuseOption(
    'STATUS_INVALID_ARG',
    `endpoint '${endpoint}' is no URL; give one like http://127.0.0.1:8443`,
  );
}

/** A variant is a host name of AWS's own; the SDK refuses each call that has one and an endpoint. */
function checkVariants(options: ProducerOptions, endpoint: string): void {
  const variants = [
    ['useFipsEndpoint', options.useFipsEndpoint, 'AWS_USE_FIPS_ENDPOINT'],
    ['useDualstackEndpoint', options.useDualstackEndpoint, 'AWS_USE_DUALSTACK_ENDPOINT'],
  ] as const;
  for (const [name, wanted, variable] of variants) {
    if (!(wanted ?? env(variable) === 'true')) continue;
    const asked = wanted === undefined ? `the environment's ${variable}` : name;
    refuseOption(
      'STATUS_INVALID_ARG',
      `${asked} is true, and picks one of AWS's host names, but endpoint is '${endpoint}'; ` +
        `leave the endpoint out, or give ${name}: false`,
    );
  }
}
