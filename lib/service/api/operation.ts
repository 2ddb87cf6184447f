import type { ServiceErrorName } from '../errors.js';
import type { Fields } from './fields.js';

/** Name of an operation. @internal */
export type OperationName =
  | 'CreateStream'
  | 'DeleteStream'
  | 'DescribeStream'
  | 'GetDataEndpoint'
  | 'ListStreams'
  | 'ListTagsForStream'
  | 'TagStream'
  | 'UntagStream'
  | 'UpdateDataRetention'
  | 'UpdateStream'
  | 'TagResource'
  | 'UntagResource'
  | 'ListTagsForResource'
  | 'DescribeNotificationConfiguration'
  | 'UpdateNotificationConfiguration'
  | 'DescribeImageGenerationConfiguration'
  | 'UpdateImageGenerationConfiguration'
  | 'PutMedia'
  | 'GetMedia'
  | 'ListFragments'
  | 'GetMediaForFragmentList'
  | 'GetHLSStreamingSessionURL';

/** What the service knows of an operation. @internal */
export interface Operation {
  readonly name: OperationName;
  /** `POST` to this path calls it. */
  readonly path: string;
  /** `headers`: parameters in HTTP headers, the body is media. */
  readonly input: 'json' | 'headers';
  readonly fields: Fields;
  /** What the caller's policies are asked about: the stream that is named, or the whole account. */
  readonly actsOn: 'stream' | 'account';
  /** Exceptions besides those common to all operations. */
  readonly errors: readonly ServiceErrorName[];
  /** One sentence for the documentation. */
  readonly purpose: string;
}
