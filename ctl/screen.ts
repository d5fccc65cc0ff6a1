import type { ReadStream, WriteStream } from 'node:tty';
import { width } from './table.ts';

/** A terminal taken over for a live picture, and given back as it was. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** Draws a whole picture, one text a line; what does not fit is left out. */
  draw(lines: readonly string[]): void;
  /** Gives the terminal back; more than once does no harm. */
  close(): void;
}

/** Whom a screen tells. */
export interface ScreenOptions {
  readonly input: ReadStream;
  readonly output: WriteStream;
  /** A key, as the terminal sends it. */
  readonly onKey: (key: string) => void;
  readonly onResize: () => void;
}

const enter = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const leave = '\x1b[?7h\x1b[?25h\x1b[?1049l';
// Terminals that know it show what stands between as one picture; the others skip it.
const beginUpdate = '\x1b[?2026h';
const endUpdate = '\x1b[?2026l';

/** Takes the terminal over: another screen, no cursor, keys as they are pressed. */
export function openScreen({ input, output, onKey, onResize }: ScreenOptions): Screen {
  let open = true;
  const keys = (chunk: Buffer) => onKey(chunk.toString('latin1'));
  const close = () => {
    if (!open) return;
    open = false;
    process.off('exit', close);
    output.off('resize', onResize);
    input.off('data', keys);
    if (input.isTTY) input.setRawMode(false);
    input.pause();
    output.write(leave);
  };
  // Whatever ends the program, the terminal is given back.
  process.on('exit', close);
  if (input.isTTY) input.setRawMode(true);
  input.on('data', keys);
  input.resume();
  output.on('resize', onResize);
  output.write(enter);
  return {
    get columns() {
      return output.columns;
    },
    get rows() {
      return output.rows;
    },
    draw: (lines) => {
      if (open) output.write(picture(lines, output));
    },
    close,
  };
}

interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Each line is written over the one before it and only its rest erased: nothing flickers. */
function picture(lines: readonly string[], { columns, rows }: Size): string {
  // After the last column the cursor stands on it still: erasing the rest would take it away.
  const shown = lines
    .slice(0, rows)
    .map((line) => (width(line) < columns ? `${line}\x1b[K` : line));
  const rest = shown.length < rows ? '\x1b[J' : '';
  return `${beginUpdate}\x1b[H${shown.join('\r\n')}${rest}${endUpdate}`;
}
