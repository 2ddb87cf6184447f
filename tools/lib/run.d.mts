export interface RunOptions {
  readonly cwd: string;
  readonly limitMs?: number;
  readonly quietMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly echo?: boolean;
  readonly heard?: (output: string) => void;
}
export interface Ran {
  readonly code: number | string;
  readonly output: string;
  readonly seconds: number;
}
export function run(command: readonly string[], options: RunOptions): Promise<Ran>;
