import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkDefinition } from '../../../lib/producer/definition/definition-check.js';
import { VERSION } from '../../../lib/index.js';

describe('checkDefinition', () => {
  it("fills in the guide's defaults", () => {
    const { info, tags } = checkDefinition({ streamName: 'camera' });
    expect(tags).toEqual({});
    expect(info).toEqual({
      name: 'camera',
      contentType: 'video/h264',
      kmsKeyId: '',
      tagCount: 0,
      retention: 3_600_000,
      streamingType: 0,
      overflowPolicy: 0,
      nalAdaptationFlags: 40,
      frameRate: 25,
      avgBandwidthBps: 4_194_304,
      maxLatency: 0,
      fragmentDuration: 2000,
      minFragmentDuration: 1000,
      maxFragmentDuration: 10_000,
      timecodeScale: 1,
      bufferDuration: 120_000,
      replayDuration: 40_000,
      connectionStaleness: 30_000,
      sessionDuration: 2_400_000,
      idleDuration: 20_000,
      keyFrameFragmentation: true,
      frameTimecodes: true,
      absoluteFragmentTimes: true,
      fragmentAcks: true,
      restartOnError: true,
      recalculateMetrics: true,
      allowStreamCreation: true,
      tracks: [
        {
          trackId: 1,
          trackType: 1,
          codecId: 'V_MPEG4/ISO/AVC',
          trackName: 'kinesis_video',
          codecPrivateData: undefined,
          pixelWidth: 0,
          pixelHeight: 0,
          samplingFrequency: 0,
          channels: 0,
          bitDepth: 0,
        },
      ],
    });
  });

  it('makes up a name, drops nothing of OFFLINE streams and takes single-track fields', () => {
    const codecPrivateData = Uint8Array.of(1, 2);
    const { info } = checkDefinition({
      streamingType: 'OFFLINE',
      codecId: 'V_MPEGH/ISO/HEVC',
      trackName: 'door',
      codecPrivateData,
    });
    expect(info.name).toMatch(/^stream-[0-9a-f]{16}$/);
    expect([info.streamingType, info.overflowPolicy]).toEqual([2, 1]);
    expect(info.tracks[0]).toMatchObject({
      codecId: 'V_MPEGH/ISO/HEVC',
      trackName: 'door',
      codecPrivateData,
    });
  });
});

describe('VERSION', () => {
  it("is the package's", () => {
    const file = new URL('../../../package.json', import.meta.url);
    expect(readFileSync(file, 'utf8')).toContain(`"version": "${VERSION}"`);
  });
});
