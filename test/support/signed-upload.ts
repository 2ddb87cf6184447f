import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../../lib/transport/sha256.js';
import { cluster, endOfFragment, header } from './mkv.js';
import { RawPutMedia } from './put-media.js';
import type { CallerKeys } from './signed-fetch.js';

/** A PutMedia that stays open, of fragments that the test sends one by one. */
export interface Upload {
  /** Sends a fragment at this time, ms; resolves when it is persisted. */
  fragment(time: number): Promise<void>;
  persisted(): number[];
  end(): void;
}

/** Begins a PutMedia that is signed with these keys. */
export async function startUpload(
  endpoint: string,
  stream: string,
  credentials: CallerKeys,
): Promise<Upload> {
  const { hostname } = new URL(endpoint);
  const signer = new SignatureV4({
    ...{ service: 'kinesisvideo', region: 'us-west-2', credentials, sha256: Sha256 },
  });
  const signed = await signer.sign({
    ...{ method: 'POST', protocol: 'http:', hostname, path: '/putMedia' },
    headers: {
      host: hostname,
      'x-amzn-stream-name': stream,
      'x-amzn-fragment-timecode-type': 'ABSOLUTE',
    },
  });
  const { host: _host, ...headers } = signed.headers;
  const put = new RawPutMedia(endpoint, headers);
  put.send(header());
  const persisted = (): number[] =>
    put.acks.flatMap(({ EventType, FragmentTimecode }) =>
      EventType === 'PERSISTED' && FragmentTimecode !== undefined ? [FragmentTimecode] : [],
    );
  return {
    persisted,
    async fragment(time) {
      put.send(cluster(time, [{ time: 0 }]), endOfFragment());
      await put.until(() => persisted().includes(time));
    },
    end() {
      put.destroy();
    },
  };
}
