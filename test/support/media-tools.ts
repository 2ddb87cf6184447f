import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether a program can be started here. Tests that need it carry its name and are skipped without. */
export function have(tool: 'ffmpeg' | 'ffprobe' | 'mkvinfo' | 'mkvmerge'): boolean {
  return spawnSync(tool, ['-version']).error === undefined;
}

/** Runs ffmpeg and throws what it complained about. */
export async function ffmpeg(...args: readonly string[]): Promise<void> {
  await run('ffmpeg', ['-nostdin', '-y', '-v', 'error', ...args]);
}

/** Runs mkvmerge and throws what it complained about. */
export async function mkvmerge(...args: readonly string[]): Promise<void> {
  await run('mkvmerge', ['--quiet', ...args]);
}

/** One packet as ffprobe reports it; times in ms, `undefined` where the file gives none. */
export interface ProbedPacket {
  readonly stream: string;
  readonly ptsMs: number | undefined;
  readonly dtsMs: number | undefined;
  readonly size: number;
  readonly key: boolean;
  /** MD5 of the payload. */
  readonly hash: string;
}

/** The packets of a file in file order; times exact to the microsecond. */
export async function probePackets(path: string): Promise<readonly ProbedPacket[]> {
  const entries = 'packet=codec_type,pts,dts,size,flags,data_hash:stream=codec_type,time_base';
  const args = ['-v', 'error', '-show_data_hash', 'md5', '-show_entries', entries, '-of', 'json'];
  const { stdout } = await run('ffprobe', [...args, path], { maxBuffer: 64 * 1024 * 1024 });
  const report: unknown = JSON.parse(stdout);
  const bases = new Map(
    listOf(report, 'streams').map((stream) => [
      text(stream, 'codec_type'),
      text(stream, 'time_base'),
    ]),
  );
  return listOf(report, 'packets').map((packet) => {
    const stream = text(packet, 'codec_type');
    const [numerator, denominator] = (bases.get(stream) ?? '1/1').split('/').map(Number);
    const toMs = (ticks: unknown): number | undefined =>
      typeof ticks === 'number'
        ? Math.round((ticks * 1e6 * (numerator ?? 1)) / (denominator ?? 1)) / 1000
        : undefined;
    return {
      stream,
      ptsMs: toMs(field(packet, 'pts')),
      dtsMs: toMs(field(packet, 'dts')),
      size: Number(field(packet, 'size')),
      key: text(packet, 'flags').startsWith('K'),
      hash: text(packet, 'data_hash').replace('MD5:', ''),
    };
  });
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).find(([key]) => key === name)?.[1];
}

function text(value: unknown, name: string): string {
  return String(field(value, name));
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = field(value, name);
  return Array.isArray(list) ? list : [];
}
