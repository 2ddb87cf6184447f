/** Where progress is drawn; `process.stderr` is one. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const REDRAW_MS = 80;
const BAR_CELLS = 20;

/**
 * One line of progress. On a terminal it is redrawn in place, at most every 80 ms; elsewhere a line
 * is written at every quarter, so that a log stays short.
 */
export class Progress {
  readonly #output: ProgressOutput;
  readonly #label: string;
  #drawnAt = -Infinity;
  #quarter = 0;

  constructor(output: ProgressOutput, label: string) {
    this.#output = output;
    this.#label = label;
  }

  /** Shows `fraction` (0 to 1) done and a short text about it, which is asked for when it is drawn. */
  update(fraction: number, detail: () => string): void {
    const part = Math.min(1, Math.max(0, fraction));
    if (this.#output.isTTY !== true) {
      const quarter = Math.floor(part * 4);
      if (quarter <= this.#quarter || quarter === 4) return;
      this.#quarter = quarter;
      this.#output.write(`${this.#label} ${quarter * 25} %  ${detail()}\n`);
      return;
    }
    const now = performance.now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#draw(part, detail());
  }

  /** Shows the whole bar and ends the line. */
  finish(detail: string): void {
    if (this.#output.isTTY === true) {
      this.#draw(1, detail);
      this.#output.write('\n');
    } else {
      this.#output.write(`${this.#label} 100 %  ${detail}\n`);
    }
  }

  /** Ends the line as it stands, when the work ends before it is done. */
  stop(): void {
    if (this.#output.isTTY === true && this.#drawnAt > 0) this.#output.write('\n');
  }

  #draw(part: number, detail: string): void {
    const full = Math.floor(part * BAR_CELLS);
    const bar = '█'.repeat(full) + '░'.repeat(BAR_CELLS - full);
    const percent = `${Math.floor(part * 100)}`.padStart(3);
    const line = `${this.#label} ${bar} ${percent} %  ${detail}`;
    // A terminal that does not tell its width says 0.
    const room = Math.max(20, (this.#output.columns || 80) - 1);
    this.#output.write(`\r\u001b[2K${line.slice(0, room)}`);
  }
}
