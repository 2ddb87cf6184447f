import { describe, expect, it } from 'vitest';
import { created, dataEndpoint, described } from '../../../lib/producer/session/service-answers.js';
import type { StreamDescription } from '../../../lib/providers/index.js';

const GOOD: StreamDescription = {
  streamArn: 'a'.repeat(1024),
  streamStatus: 'ACTIVE',
  retentionPeriod: 3_600_000,
};

describe('what the service answers', () => {
  it('may be as long as the guide allows', () => {
    expect(described(GOOD)).toEqual({ streamStatus: 1, retention: 3_600_000 });
    expect(created(GOOD.streamArn)).toBe(GOOD.streamArn);
    expect(dataEndpoint('u'.repeat(10_000))).toHaveLength(10_000);
  });

  it.each([
    ['an ARN too long', { ...GOOD, streamArn: 'a'.repeat(1025) }],
    ['no ARN', { ...GOOD, streamArn: '' }],
    ['a retention that is no number', { ...GOOD, retentionPeriod: NaN }],
    ['a retention without end', { ...GOOD, retentionPeriod: Infinity }],
  ])('of DescribeStream is refused with %s', (_what, answer) => {
    expect(() => described(answer)).toThrow(
      expect.objectContaining({ status: 'STATUS_INVALID_DESCRIBE_STREAM_RESPONSE' }),
    );
  });

  it.each([0, 1025])('of CreateStream is refused with an ARN of %i characters', (length) => {
    expect(() => created('a'.repeat(length))).toThrow(
      expect.objectContaining({ status: 'STATUS_INVALID_CREATE_STREAM_RESPONSE' }),
    );
  });

  it.each([0, 10_001])('of GetDataEndpoint is refused with %i characters', (length) => {
    expect(() => dataEndpoint('u'.repeat(length))).toThrow(
      expect.objectContaining({ status: 'STATUS_INVALID_URI_LEN' }),
    );
  });
});
