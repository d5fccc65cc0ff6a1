import { stripVTControlCharacters } from 'node:util';

/** A column: its heading, and on which side its cells end. */
export interface Column {
  readonly heading: string;
  readonly align?: 'left' | 'right';
}

/** Cells under their headings, aligned, two blanks apart; the last column is not padded. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const headed = columns.some(({ heading }) => heading !== '');
  const lines = headed ? [columns.map(({ heading }) => heading), ...rows] : rows;
  const widths = columns.map((_, index) =>
    Math.max(0, ...lines.map((cells) => width(cells[index] ?? ''))),
  );
  return lines.map((cells) => `${line({ cells, columns, widths })}\n`).join('');
}

/** Names and what they are, one a line, the second column aligned. */
export function pairs(rows: readonly (readonly [name: string, value: string])[]): string {
  return table([{ heading: '' }, { heading: '' }], rows);
}

/** How many columns of a terminal a text takes. */
export function width(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** The text, cut to a number of columns; only for text without colour. */
export function cut(text: string, columns: number): string {
  const characters = [...text];
  if (characters.length <= columns) return text;
  return `${characters.slice(0, Math.max(0, columns - 1)).join('')}…`;
}

/** The text's end, when not all of it fits: of a path that says the most. */
export function cutStart(text: string, columns: number): string {
  const characters = [...text];
  if (characters.length <= columns) return text;
  return columns < 1 ? '' : `…${characters.slice(characters.length - columns + 1).join('')}`;
}

interface Line {
  readonly cells: readonly string[];
  readonly columns: readonly Column[];
  readonly widths: readonly number[];
}

function line({ cells, columns, widths }: Line): string {
  const padded = columns.map(({ align }, index) => {
    const cell = cells[index] ?? '';
    const gap = ' '.repeat((widths[index] ?? 0) - width(cell));
    return align === 'right' ? gap + cell : cell + gap;
  });
  return padded.join('  ').trimEnd();
}
