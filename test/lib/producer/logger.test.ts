import { describe, expect, it } from 'vitest';
import { describeError } from '../../../lib/base/values.js';
import { Log } from '../../../lib/producer/reporting/logger.js';
import type { Logger } from '../../../lib/index.js';

function logger(lines: string[]): Logger {
  const add = (message: string): void => void lines.push(message);
  return { debug: add, info: add, warn: add, error: add };
}

describe('Log', () => {
  it('writes a kind of line once a second and counts what it left out', () => {
    let now = 0;
    const lines: string[] = [];
    const log = new Log(logger(lines), () => now);
    for (now = 0; now < 2500; now += 100) log.write('info', 'one', `at ${now}`);
    log.write('warn', 'two', 'other');
    expect(lines).toEqual([
      'kinesis-video: at 0',
      'kinesis-video: at 1000 (9 more like this)',
      'kinesis-video: at 2000 (9 more like this)',
      'kinesis-video: other',
    ]);
  });

  it('writes a line for each state that a stream comes to', () => {
    const lines: string[] = [];
    const log = new Log(logger(lines), () => 0);
    for (const to of ['DESCRIBE', 'GET_ENDPOINT', 'STREAMING', 'STREAMING'] as const) {
      log.note('camera', { name: 'streamStateChanged', report: { from: 'NEW', to } });
    }
    expect(lines).toHaveLength(3);
    expect(lines[2]).toContain('STREAMING');
  });

  it('says what to set when a long GOP was cut', () => {
    const lines: string[] = [];
    const log = new Log(logger(lines), () => 0);
    const report = { timecode: 9520, duration: 9520, bytes: 100_000 };
    log.note('camera', { name: 'fragmentCutReport', report });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("stream 'camera': fragmentCutReport");
    expect(lines[0]).toContain('set maxFragmentDuration up to 20 s or a shorter GOP on the camera');
  });

  it('says in words what is wrong and what to do', () => {
    const lines: string[] = [];
    const log = new Log(logger(lines), () => 0);
    const report = { timecode: 0, frames: 251, duration: 10_000 };
    log.note('camera', { name: 'keyFrameMissingReport', report });
    log.note('camera', { name: 'codecPrivateMissingReport', report: { timecode: 0, trackId: 1 } });
    expect(lines[0]).toContain('set FRAME_FLAG.KEY_FRAME');
    expect(lines[1]).toContain(
      '"trackId":1}; no decoder can show the track: give its codecPrivateData',
    );
  });

  it('writes the same of each stream, but keeps no more in mind than a few thousand kinds', () => {
    const lines: string[] = [];
    const log = new Log(logger(lines), () => 0);
    const tell = (stream: string): void => {
      log.note(stream, { name: 'streamReady', report: { uptime: 1 } });
    };
    for (const stream of ['front', 'back', 'front', 'back']) tell(stream);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain("stream 'back'");
    for (let i = 0; i < 5000; i += 1) tell(`stream-${i}`);
    tell('stream-4999');
    expect(lines).toHaveLength(5002);
    tell('front');
    expect(lines).toHaveLength(5003);
  });

  it('is silent without a logger, and survives one that throws', async () => {
    new Log(undefined, () => 0).write('error', 'x', 'y');
    const broken = logger([]);
    broken.error = () => {
      throw new Error('disk full');
    };
    new Log(broken, () => 0).write('error', 'x', 'y');
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    const rejects: unknown = () => Promise.reject(new Error('disk full'));
    Object.assign(broken, { error: rejects });
    new Log(broken, () => 0).write('error', 'x', 'y');
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});

describe('describeError', () => {
  it('names the error, its text and its causes', () => {
    const cause = new TypeError('inner');
    expect(describeError(new Error('outer', { cause }))).toBe('outer; cause: TypeError: inner');
    expect(describeError('text')).toBe('text');
  });
});
