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
    'DescribeImageGenerationConfiguration',
    'DescribeMappedResourceConfiguration',
    'DescribeMediaStorageConfiguration',
    'DescribeNotificationConfiguration',
    'DescribeSignalingChannel',
    'DescribeStreamStorageConfiguration',
    'GetSignalingChannelEndpoint',
    'ListEdgeAgentConfigurations',
    'ListSignalingChannels',
    'StartEdgeConfigurationUpdate',
    'UpdateImageGenerationConfiguration',
    'UpdateMediaStorageConfiguration',
    'UpdateNotificationConfiguration',
    'UpdateSignalingChannel',
    'UpdateStreamStorageConfiguration',
    'GetClip',
    'GetDASHStreamingSessionURL',
    'GetImages',
  ].map((name) => [`/${name.charAt(0).toLowerCase()}${name.slice(1)}`, name]),
);
