// Tables of Markdown.

const cell = (value) => String(value).replaceAll('|', '\\|').replaceAll('\n', ' ');
const row = (cells) => `| ${cells.map(cell).join(' | ')} |`;

/** Lines of a table; `|` in cells is escaped. */
export function table(head, rows) {
  return [row(head), row(head.map(() => '---')), ...rows.map(row)];
}
