/**
 * Operations of today's Kinesis Video Streams that this service knows by name and does not serve, by
 * their path. @internal
 */
export const UNSERVED: ReadonlyMap<string, string> = new Map(
  [
    'CreateSignalingChannel',
    'DeleteEdgeConfiguration',
    'DeleteSignalingChannel',
    'DescribeEdgeConfiguration',
    'DescribeMappedResourceConfiguration',
    'DescribeMediaStorageConfiguration',
    'DescribeSignalingChannel',
    'DescribeStreamStorageConfiguration',
    'GetSignalingChannelEndpoint',
    'ListEdgeAgentConfigurations',
    'ListSignalingChannels',
    'StartEdgeConfigurationUpdate',
    'UpdateMediaStorageConfiguration',
    'UpdateSignalingChannel',
    'UpdateStreamStorageConfiguration',
    'GetClip',
    'GetDASHStreamingSessionURL',
    'GetImages',
  ].map((name) => [`/${name.charAt(0).toLowerCase()}${name.slice(1)}`, name]),
);
