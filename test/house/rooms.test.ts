import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';

const root = dirname(dirname(import.meta.dirname));
const longestFile = 250;
const longestFunction = 60;

interface Source {
  readonly file: string;
  readonly lines: readonly string[];
}

interface Span {
  readonly name: string;
  /** Indices of the first and the last line. */
  readonly first: number;
  readonly last: number;
}

/**
 * Functions are found by the layout Biome gives them: a head at some indentation, and an end, the
 * first later line that is a closing brace at the same one. Limits: a function written on one line
 * is not seen, nor an arrow function passed as an argument or kept in a field (its lines count for
 * the function around it), and a template literal with a brace alone on a line can end one early.
 * Each limit lets a long function pass; none makes a short one fail.
 */
const functionHeads: readonly RegExp[] = [
  /^(?<indent>\s*)(?:export )?(?:default )?(?:async )?function\s*\*?\s*(?<name>\w+).*[^;]$/,
  /^(?<indent>\s*)(?:export )?const (?<name>\w+)\b[^=]*= (?:async )?(?:<.*>)?\(.*(?:=> \{|\($)/,
  /^(?<indent>\s+)(?:(?:private|protected|public|static|override|async|get|set) )*\*?(?<name>#?\w+)(?:<.*>)?\((?:\{?|.*\)(?:: .*)? \{)$/,
];

const exportedHead =
  /^export (?:default )?(?:(?:abstract )?class|(?:async )?function\s*\*?|interface|type|const(?= \w+\b[^=]*= (?:async )?(?:<.*>)?(?:\(.*(?:=>|\($)|\w+ =>))) ?(?<name>\w+)/;

function sourcesOf(folder: string): readonly Source[] {
  return globSync(`${folder}/**/*.ts`, { cwd: root })
    .toSorted()
    .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n') }));
}

function functionAt(lines: readonly string[], first: number): Span | undefined {
  const groups = functionHeads
    .map((head) => head.exec(lines[first] ?? '')?.groups)
    .find((match) => match !== undefined);
  const { indent = '', name = '' } = groups ?? {};
  if (name === '') return undefined;
  // A call such as `send(…)` looks like a method whose arguments go on, and ends without a brace.
  const end = new RegExp(`^${indent}(?:\\}[;,)]*|\\).*;)$`);
  const last = lines.findIndex((line, index) => index > first && end.test(line));
  return last === -1 || !lines[last]?.startsWith(`${indent}}`) ? undefined : { name, first, last };
}

function functionsOf(lines: readonly string[]): readonly Span[] {
  return lines.flatMap((_, index) => functionAt(lines, index) ?? []);
}

/** Lines of its own: a factory's inner functions count for themselves. */
function ownLength(span: Span, all: readonly Span[]): number {
  const inner = all.filter(({ first, last }) => first > span.first && last < span.last);
  const outermost = inner.filter(
    ({ first, last }) => !inner.some((other) => other.first < first && last < other.last),
  );
  const taken = outermost.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  return span.last - span.first + 1 - taken;
}

function hasDocstring(lines: readonly string[], head: number): boolean {
  const last = lines[head - 1]?.trim() ?? '';
  if (!last.endsWith('*/')) return false;
  const opening = lines.slice(0, head).findLast((line) => line.trimStart().startsWith('/*'));
  return opening?.trimStart().startsWith('/**') ?? false;
}

function undocumented({ file, lines }: Source): readonly string[] {
  const seen = new Set<string>();
  return lines.flatMap((line, index) => {
    const name = exportedHead.exec(line)?.groups?.name;
    // The first of several overloads speaks for all.
    if (name === undefined || seen.has(name)) return [];
    seen.add(name);
    return hasDocstring(lines, index) ? [] : [`${file}:${index + 1} ${name}`];
  });
}

/** Reasons that are one literal; what a function or a condition words is not seen. */
function reasonsWithFullStop({ file, lines }: Source): readonly string[] {
  return lines
    .join('\n')
    .split('new CacheError(')
    .slice(1)
    .flatMap((rest) => {
      const failure = rest.slice(0, rest.indexOf('});'));
      const reason = /\breason:\s*(['"`])(?<text>(?:\\.|(?!\1)[^\\])*)\1\s*(?:[,}]|$)/.exec(
        failure,
      );
      const text = reason?.groups?.text ?? '';
      return text.endsWith('.') ? [`${file}: ${text}`] : [];
    });
}

const daemon = sourcesOf('daemon');
const sources = [...daemon, ...sourcesOf('ctl')];

test(`no file is longer than ${longestFile} lines`, (t) => {
  const long = sources.filter(({ lines }) => lines.length - 1 > longestFile);
  t.deepEqual(
    long.map(({ file, lines }) => `${file}: ${lines.length - 1}`),
    [],
  );
});

test(`no function has more than ${longestFunction} lines of its own`, (t) => {
  const long = sources.flatMap(({ file, lines }) => {
    const spans = functionsOf(lines);
    return spans
      .filter((span) => ownLength(span, spans) > longestFunction)
      .map((span) => `${file}:${span.first + 1} ${span.name}: ${ownLength(span, spans)}`);
  });
  t.deepEqual(long, []);
});

test('every exported function, class, interface and type of the daemon has a docstring', (t) => {
  t.deepEqual(daemon.flatMap(undocumented), []);
});

test('the reason of an error does not end in a full stop', (t) => {
  t.deepEqual(sources.flatMap(reasonsWithFullStop), []);
});

test('functions are measured as Biome lays them out', (t) => {
  const lines = [
    'export async function outer({',
    '  a,',
    '}: Options): Promise<void> {',
    '  send(',
    '    a,',
    '  );',
    '  const inner = (b: string) => {',
    '    return b;',
    '  };',
    '  return {',
    '    method(c) {',
    '      if (c) {',
    '      }',
    '    },',
    '  };',
    '}',
  ];
  const spans = functionsOf(lines);
  t.deepEqual(
    spans.map((span) => [span.name, ownLength(span, spans)]),
    [
      ['outer', 9],
      ['inner', 3],
      ['method', 4],
    ],
  );
});

test('a missing docstring and a full stop are found', (t) => {
  const lines = [
    '/** Told. */',
    'export interface Told {}',
    '// not a docstring',
    'export function untold() {}',
    'export const arrow = (a: string): string => a;',
    'export const value = 7;',
    "throw new CacheError('config', { verb: 'a', thing: 'b', reason: 'no.' });",
    "throw new CacheError('config', { verb: 'a', thing: 'b', reason: 'no' });",
  ];
  const source = { file: 'x.ts', lines };
  t.deepEqual(undocumented(source), ['x.ts:4 untold', 'x.ts:5 arrow']);
  t.deepEqual(reasonsWithFullStop(source), ['x.ts: no.']);
});
