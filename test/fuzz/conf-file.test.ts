import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'ava';
import { parseConfFile } from '../../daemon/config/conf-file.ts';
import { CacheError } from '../../daemon/errors.ts';
import { needs } from '../helpers/programs.ts';
import { casesToRun, named, tellKinds } from './fuzz.ts';
import { mutated, words } from './mutate.ts';
import { Random } from './random.ts';
import { readByShell } from './shell.ts';

const shipped = readFileSync(new URL('../../etc/conf.d/package-cache', import.meta.url), 'utf8');

const corpus = [
  // Every key with its example.
  ...(shipped.match(/^#?[A-Z_]+="[^"]*"$/gm) ?? []).map((line) => `${line.replace('#', '')}\n`),
  'A="1"\nB=\'2\'\nC=3\n',
  'A="a\n b" # c\n\n# A="2"\nB=\'"\'\n',
  'rc_need="net.eth0"\nA=1\nsupervisor=""\nSSD_NICELEVEL="-5"\nB="2"\n',
  'A=http://h:80/%7e,b+c^d=e@f\n',
  ' \tA="x"\t# \'"\nB="ü \u2028 😀"',
];

// Nothing that would write a file: the shells run what is made of these.
const pieces = [
  ...words('A= x= " \' # = += $ $A ` ~ ; & | * ? [a] ! {a,b} ( ) % ^ , : @ A 1 /x:y é "\'" \'"\''),
  ...['\nA=', '\nB=', '\nC="', "\nA='", '\nx=', '\nrc_need="', '\n', '\n\n', ' ', '\t', ' # '],
  ...[`\${A}`, '\\', '\\\n', 'export ', 'readonly ', 'A =', '= ', 'a b', '\r', '\r\n', '\v', '\f'],
  ...['\x01', '\x7f', '\u00a0', '\u2028', '\ufeff'],
];

interface Read {
  readonly number: number;
  readonly text: string;
  readonly names: readonly string[];
  /** Undefined where the file is refused. */
  readonly values: readonly (string | undefined)[] | undefined;
}

function makeFile(random: Random): string {
  const text = random.oneIn(2)
    ? mutated(random, { corpus, pieces })
    : random.several(1, 4, () => makeLine(random)).join('');
  return text.toWellFormed().replace(/[<>]/g, '');
}

function makeLine(random: Random): string {
  const key = random.pick(['A', 'B', 'C', 'PC_USER', 'SOURCES_x', ' A', 'rc_need', '_x', 'SSD_X']);
  const quote = random.pick(['"', "'", '"', "'", '']);
  const value = random.string(quote === '' ? ['a', '/', ':', '.', '%', '-'] : pieces, 4);
  return `${key}=${quote}${random.oneIn(4) ? value : value.replace(/["'$`\\]/g, '')}${quote}\n`;
}

/** The keys and values of the file, for the names that any reader could find in it. */
function readByUs(number: number, text: string): Read {
  const words = text.match(/(?<!\w)[A-Za-z_]\w*(?=\+?=)/g) ?? [];
  // Those of OpenRC are left to it.
  const ours = words.filter((name) => /[A-Z]/.test(name) && !name.startsWith('SSD_'));
  const names = [...new Set(['A', ...ours])];
  try {
    const lines = parseConfFile(text, 'conf');
    const values = names.map((name) => lines.find(({ key }) => key === name)?.value);
    // A name that we found and that is none of those would be missed below.
    assert.ok(lines.every(({ key }) => names.includes(key)));
    return { number, text, names, values };
  } catch (error) {
    if (!(error instanceof CacheError)) throw error;
    assertRefusal(error, text);
    return { number, text, names, values: undefined };
  }
}

function assertRefusal({ code, message }: CacheError, text: string): void {
  assert.equal(code, 'config');
  const line = Number(/^Cannot read "conf": line (\d+): \S/.exec(message)?.[1]);
  assert.ok(line >= 1 && line <= text.split('\n').length);
}

/** Reads all cases, those that are accepted with the shell as well, and compares. */
function compare(shell: readonly string[], make: (random: Random) => string) {
  const { seed, first, count } = casesToRun();
  const counted = new Map<string, number>();
  const step = 20_000;
  for (let from = first; from < first + count; from += step) {
    const numbers = Array.from(
      { length: Math.min(step, first + count - from) },
      (_, at) => from + at,
    );
    const read = numbers.map((number) => {
      const text = make(new Random(seed, number));
      return named({ seed, number }, text, () => readByUs(number, text));
    });
    const accepted = read.filter(({ values }) => values !== undefined);
    const byShell = readByShell(shell, accepted);
    accepted.forEach(({ number, text, values }, at) => {
      const kind = byShell[at] === undefined ? 'no meaning to the shell' : 'the same';
      named({ seed, number }, text, () => {
        // Of ours alone it always knows what is meant.
        const isOpenRcs = /^[ \t]*(?:[a-z_]+|SSD_\w+)=/m.test(text);
        if (byShell[at] !== undefined || !isOpenRcs) assert.deepEqual(byShell[at], values);
      });
      counted.set(kind, (counted.get(kind) ?? 0) + 1);
    });
    counted.set('refused', (counted.get('refused') ?? 0) + read.length - accepted.length);
  }
  return counted;
}

/** A value of OpenRC's, and behind it one of ours: that is read right if the first ended right. */
function makeForeign(random: Random): string {
  const plain = ['a', '"', "'", '\\', '\n', ' ', '#', '=', ' #', '(', ')', '}', '"$('];
  // Half a backquote within quotes is undefined (POSIX 2.6.3), so they come in pairs. The shell
  // runs what is substituted, which takes its time.
  const expansions = random.oneIn(3) ? ['`a`', '`"a"`', '$(', '$(a)', `\${y:-`, `\${y}`] : [];
  const word = random.string([...plain, ...plain, `\${y:-`, ...expansions], 9, 1);
  return `x=${word}\nA="after"\n`;
}

// Those that /bin/sh is on one system or another.
const shells = [['dash'], ['bash', '--posix'], ['busybox', 'sh']];

for (const shell of shells) {
  const name = shell.join(' ');

  test(`what is accepted is what ${name} assigns`, (t) => {
    if (!needs(t, ...shell.slice(0, 1))) return;
    const kinds = { 'the same': 0.25, 'no meaning to the shell': 0, refused: 0.25 };
    tellKinds(t, compare(shell, makeFile), kinds);
  });

  test(`a value of OpenRC's ends where it ends for ${name}`, (t) => {
    if (!needs(t, ...shell.slice(0, 1))) return;
    const kinds = { 'the same': 0.1, 'no meaning to the shell': 0, refused: 0.25 };
    tellKinds(t, compare(shell, makeForeign), kinds);
  });
}
