import { styleText } from 'node:util';

type Style = (text: string) => string;

/** How text is set off; plain text where there is no colour. */
export interface Paint {
  /** What a block is about. */
  readonly title: Style;
  /** What may be overlooked. */
  readonly faint: Style;
  readonly good: Style;
  readonly warn: Style;
  readonly bad: Style;
}

/** Text as it is. */
export const plain: Paint = {
  title: (text) => text,
  faint: (text) => text,
  good: (text) => text,
  warn: (text) => text,
  bad: (text) => text,
};

const coloured: Paint = {
  title: (text) => style('bold', text),
  faint: (text) => style('dim', text),
  good: (text) => style('green', text),
  warn: (text) => style('yellow', text),
  bad: (text) => style('red', text),
};

/** Where text goes, and under which environment. */
export interface Place {
  readonly terminal: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Colour on a terminal that can show it, and never with NO_COLOR (no-color.org). */
export function paintFor({ terminal, env }: Place): Paint {
  const unwanted = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  return terminal && !unwanted ? coloured : plain;
}

function style(format: Parameters<typeof styleText>[0], text: string): string {
  return styleText(format, text, { validateStream: false });
}
