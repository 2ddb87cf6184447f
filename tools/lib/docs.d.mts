export interface FencedBlock {
  readonly language: string;
  readonly mark: string;
  readonly text: string;
}
export function fencedBlocks(markdown: string): readonly FencedBlock[];
