/**
 * Where the shell word that begins at `start` ends, or nothing when a quote or bracket of it is
 * never closed. Reads what POSIX sh reads (2.2 quoting, 2.6 expansions), so that a value of
 * OpenRC's that spans lines is stepped over as a whole.
 */
export function endOfShellWord(text: string, start: number): number | undefined {
  let at: number | undefined = start;
  while (at !== undefined && at < text.length && !' \t\n;&|<>()'.includes(text.charAt(at))) {
    at = endOfPart(text, at);
  }
  return at;
}

/** One character, or one quotation or expansion as a whole. */
function endOfPart(text: string, at: number): number | undefined {
  switch (text[at]) {
    case "'":
      return after(text, "'", at + 1);
    case '"':
      return endOfGroup(text, at + 1, { close: '"', quotes: false });
    case '`':
      return endOfGroup(text, at + 1, { close: '`', quotes: true });
    default:
      return endOfBare(text, at, { quotes: true });
  }
}

interface Within {
  /** Whether a single quote quotes here; between double quotes it is a mere character. */
  readonly quotes: boolean;
}

function endOfBare(text: string, at: number, { quotes }: Within): number | undefined {
  if (text[at] === '\\') return Math.min(at + 2, text.length);
  if (text.startsWith('$(', at)) return endOfGroup(text, at + 2, { close: ')', quotes: true });
  if (text.startsWith('${', at)) return endOfGroup(text, at + 2, { close: '}', quotes });
  return at + 1;
}

/** The end of what runs up to `close`, groups within groups included. */
function endOfGroup(
  text: string,
  start: number,
  { close, quotes }: Within & { readonly close: string },
): number | undefined {
  let at: number | undefined = start;
  while (at !== undefined && at < text.length) {
    const character = text.charAt(at);
    if (character === close) return at + 1;
    if (close === ')' && character === '(') at = endOfGroup(text, at + 1, { close, quotes });
    else if (close === ')' && /^\s#/.test(text.slice(at, at + 2))) at = endOfComment(text, at + 1);
    else if (character === '`' || character === '"') at = endOfPart(text, at);
    else if (character === "'" && quotes) at = endOfPart(text, at);
    else at = endOfBare(text, at, { quotes });
  }
  return undefined;
}

function endOfComment(text: string, at: number): number | undefined {
  const newline = text.indexOf('\n', at);
  return newline < 0 ? undefined : newline;
}

function after(text: string, mark: string, from: number): number | undefined {
  const found = text.indexOf(mark, from);
  return found < 0 ? undefined : found + mark.length;
}
