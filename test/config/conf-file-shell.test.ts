import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { parseConfFile } from '../../daemon/config/conf-file.ts';
import { CacheError } from '../../daemon/errors.ts';

interface Setting {
  readonly key: string;
  readonly value: string;
}

const name = fc.stringMatching(/^[A-Z][A-Z0-9]{0,5}$/).map((end) => `PC_${end}`);
const safe = fc
  .string({ unit: 'grapheme', maxLength: 12 })
  .map((text) => text.replace(/[\0-\u001f\u007f\ufeff$`\\'"]/g, ''));
const multiLine = fc.array(safe, { maxLength: 4 }).map((lines) => lines.join('\n'));

function settings(value: fc.Arbitrary<string>): fc.Arbitrary<readonly Setting[]> {
  const setting = fc.record({ key: name, value });
  return fc.uniqueArray(setting, { selector: ({ key }) => key, maxLength: 6 });
}

function survives(written: string, expected: readonly Setting[]): boolean {
  const read = parseConfFile(written, 'conf').map(({ key, value }) => ({ key, value }));
  return JSON.stringify(read) === JSON.stringify(expected);
}

for (const quote of ['"', "'"]) {
  test(`any values survive between ${quote} on one line and on several`, (t) => {
    const property = fc.property(settings(fc.oneof(safe, multiLine)), (expected) => {
      const lines = expected.map(
        ({ key, value }) => `${key}=${quote}${value}${quote} # ${quote}\n`,
      );
      return survives(`# ${quote}\n${lines.join('\n')}`, expected);
    });
    t.notThrows(() => fc.assert(property));
  });
}

/** Pieces that make files the shell and we agree on, disagree on, and everything in between. */
const pieces = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('A=', '\nB=', '\nC="', '\nx=', '"', "'", '\n', ' ') },
    { weight: 3, arbitrary: fc.constantFrom('1', 'a b', '/x:y', '#', ' # ', '=', '\t', 'é', '%') },
    {
      weight: 1,
      arbitrary: fc.constantFrom('\\', '$', '~', ';', '*', '{a,b}', '(', '!', '\u00a0'),
    },
  ),
  { minLength: 1, maxLength: 14 },
);

const directory = mkdtempSync(join(tmpdir(), 'package-cache-conf-'));
test.after.always(() => rmSync(directory, { recursive: true }));

/** What /bin/sh has in A, B and C after each file, all files in one run of it; '' after an error. */
function readByShell(files: readonly string[]): readonly string[] {
  files.forEach((text, index) => {
    writeFileSync(join(directory, String(index)), text);
  });
  const script = `cd "$1" && i=0 && while [ "$i" -lt "$2" ]; do
    (unset A B C; . "./$i" >&2; printf '%s\\1%s\\1%s' "\${A-unset}" "\${B-unset}" "\${C-unset}")
    printf '\\0'; i=$((i + 1)); done`;
  const { stdout } = spawnSync('/bin/sh', ['-c', script, 'sh', directory, String(files.length)], {
    encoding: 'utf8',
    env: {},
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return stdout.split('\0').slice(0, -1);
}

function readByUs(text: string): string | undefined {
  try {
    const lines = parseConfFile(text, 'conf');
    const value = (wanted: string) => lines.find(({ key }) => key === wanted)?.value ?? 'unset';
    return [value('A'), value('B'), value('C')].join('\u0001');
  } catch (error) {
    if (error instanceof CacheError) return undefined;
    throw error;
  }
}

test('whatever file we accept, /bin/sh reads the same values from it', (t) => {
  const files = fc
    .sample(pieces, 60_000)
    .map((parts) => parts.join(''))
    .filter((text) => /[ABC]=./.test(text) && readByUs(text) !== undefined);
  const distinct = [...new Set(files)].slice(0, 400);
  t.true(distinct.length > 100);
  const byShell = readByShell(distinct);
  distinct.forEach((text, index) => {
    // In a value of OpenRC's, x here, an error is between it and the shell.
    if (byShell[index] === '' && text.includes('x=')) return;
    t.is(byShell[index], readByUs(text), JSON.stringify(text));
  });
});

test('the values of OpenRC that we step over are as long as /bin/sh takes them to be', (t) => {
  // Half a backquote within quotes is undefined (POSIX 2.6.3), so they come in pairs.
  const parts = ['a', '"', "'", '\\', '\n', '`a`', '$(', ')', '(', '${y:-', '}', ' ', '#', '"$('];
  const word = fc
    .array(fc.constantFrom(...parts), { minLength: 1, maxLength: 9 })
    .map((chosen) => `x=${chosen.join('')}\nA="after"\n`);
  const accepted = fc.sample(word, 6000).filter((text) => readByUs(text) !== undefined);
  const distinct = [...new Set(accepted)].slice(0, 300);
  t.true(distinct.length > 100);
  const byShell = readByShell(distinct);
  distinct.forEach((text, index) => {
    // A file that the shell itself cannot read has no meaning to agree on.
    if (byShell[index] === '') return;
    t.is(byShell[index], readByUs(text), JSON.stringify(text));
  });
});
