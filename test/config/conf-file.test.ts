import test from 'ava';
import { type ConfLine, parseConfFile } from '../../daemon/config/conf-file.ts';
import { CacheError } from '../../daemon/errors.ts';

const path = '/etc/conf.d/package-cache';

function pairs(lines: readonly ConfLine[]): readonly string[] {
  return lines.map(({ key, value, line }) => `${line} ${key}=${value}`);
}

const good: readonly (readonly [promise: string, text: string, lines: readonly string[]])[] = [
  ['an empty file sets nothing', '', []],
  ['comments and blank lines set nothing', '# PORT=1\n\n \t\n  # b\n#', []],
  ['a key is set by double quotes', 'HOST="::1"\n', ['1 HOST=::1']],
  ['a key is set by single quotes', "HOST='::1'", ['1 HOST=::1']],
  [
    'a key is set by a bare word',
    'CACHE_DIR=/var/cache/a-b_c.d',
    ['1 CACHE_DIR=/var/cache/a-b_c.d'],
  ],
  ['a bare word holds what a URL does', 'SOURCES=http://h:80/%7e', ['1 SOURCES=http://h:80/%7e']],
  ['a key may be indented', ' \tPORT=1\n', ['1 PORT=1']],
  ['nothing after the = is an empty value', 'HOST=\nPORT=', ['1 HOST=', '2 PORT=']],
  ['empty quotes are an empty value', 'HOST=""\nPORT=\'\'', ['1 HOST=', '2 PORT=']],
  [
    'a comment follows any value',
    'A="1" # "\nB=\'2\'\t# \'\nC=3 # c\nD= # d',
    ['1 A=1', '2 B=2', '3 C=3', '4 D='],
  ],
  ['a # within quotes is no comment', 'A="1 # 2"\nB=\'#\'', ['1 A=1 # 2', '2 B=#']],
  ['a ; within quotes is kept', 'A="1;2"', ['1 A=1;2']],
  [
    'quotes span lines, and lines are counted on',
    'A="1\n 2\n"\n\nB=\'\n\'\nC=3',
    ['1 A=1\n 2\n', '5 B=\n', '7 C=3'],
  ],
  ['single quotes keep $, ` and \\', "A='$HOME `id` \\n'", ['1 A=$HOME `id` \\n']],
  ['one kind of quote holds the other', `A="it's"\nB='"'`, ["1 A=it's", '2 B="']],
  [
    'words that ini would convert stay text',
    'A=true\nB="null"\nC=false\nD="1"',
    ['1 A=true', '2 B=null', '3 C=false', '4 D=1'],
  ],
  [
    'what ini takes for JSON, an escape or a section stays text',
    `A='"\\u0041"'\nB="[a]"\nC='\\;'`,
    ['1 A="\\u0041"', '2 B=[a]', '3 C=\\;'],
  ],
  ['letters beyond ASCII are kept', 'A="ü \u2028 😀"', ['1 A=ü \u2028 😀']],
  ['the last line needs no newline', 'A="1"', ['1 A=1']],
  [
    'names that only JavaScript knows are keys like others',
    'A="1"\nCONSTRUCTOR="2"',
    ['1 A=1', '2 CONSTRUCTOR=2'],
  ],
  ['keys of OpenRC are skipped', 'rc_need="net.eth0"\nSSD_NICELEVEL="-5"\n_x=1\nA=1', ['4 A=1']],
  [
    'a key of OpenRC may have any shell as its value',
    `umask=$(id -u)\`a b\`"$x \`y '"'\`"\\ z$\{a:-b c}\nA=1`,
    ['2 A=1'],
  ],
  [
    'a value of OpenRC that spans lines does not shift the line numbers',
    'x="1\n2 \\"\nB=3"\nA=1',
    ['4 A=1'],
  ],
  [
    'nor does a command substitution that spans lines',
    "x=$(\n echo ')' # don't\n (a)\n)\nA=1",
    ['5 A=1'],
  ],
  ['nor a backslash at the end of a line', 'x=a\\\nb\nA=1', ['3 A=1']],
  ['nor an apostrophe between double quotes', `x="$\{y:-it's}"\nA=1`, ['2 A=1']],
  ['nor quotes within an expansion within quotes', `x="$\{y:-"a\nb"}" # c\nA=1`, ['3 A=1']],
];

for (const [promise, text, lines] of good) {
  test(promise, (t) => {
    t.deepEqual(pairs(parseConfFile(text, path)), lines);
  });
}

const bad: readonly (readonly [promise: string, text: string, message: string | RegExp])[] = [
  ['a $ between double quotes', 'A=1\nHOST="$x"', /^line 2: HOST: the shell would not take \$ as/],
  [
    'a backquote between double quotes',
    'HOST="`x`"',
    /^line 1: HOST: the shell .* ` .*single quotes$/,
  ],
  [
    'a backslash between double quotes',
    'HOST="\\n"',
    /^line 1: HOST: the shell would not take \\ as/,
  ],
  ['a $ on a later line of a value', 'SOURCES="a\nb\n$c"', /^line 3: SOURCES: the shell would not/],
  ['a $ in a bare word', 'HOST=$x', /^line 1: HOST: the shell would not take \$ as it is/],
  ['a backslash in a bare word', 'HOST=a\\\nPORT=1', /^line 1: HOST: the shell would not take \\/],
  ...[...';&|<>()*?[]{}!~#“😀'].map(
    (character) =>
      [
        `a bare ${character}`,
        `HOST=a${character}b`,
        `line 1: HOST: write KEY="value", an unquoted value cannot hold ${character}`,
      ] as const,
  ),
  ['a bare ~ at the beginning', 'CACHE_DIR=~/cache', /^line 1: CACHE_DIR: write KEY="value"/],
  ['quotes within a bare word', 'HOST=a"b"', 'line 1: HOST: quote the whole value'],
  ['two quoted parts', 'HOST="a"\'b\'', /^line 1: HOST: only white space and a comment may follow/],
  ['a # right after the quote', 'HOST="a"#b', /^line 1: HOST: only white space and a comment/],
  ['two keys on a line', 'A="1" B="2"', /^line 1: A: only white space and a comment/],
  ['two keys on a line of OpenRC', 'rc_need=a; PORT=1', /^line 1: rc_need: only white space/],
  ['a command after a key', 'A=1 rm -rf', /^line 1: A: only white space and a comment/],
  ['a missing closing quote', '\nA="1\nB=2', 'line 2: A: the closing " is missing'],
  ['a missing closing single quote', "A='1\nB=2", "line 1: A: the closing ' is missing"],
  ['a quote that the next key closes', 'A="1\nB="2"', /^line 2: A: .* is a quote missing\?$/],
  ['an open quote of OpenRC', 'x="$(a"\nA=1', 'line 1: x: a quote or bracket is never closed'],
  ['an open command of OpenRC', 'A=1\nx=$(a', 'line 2: x: a quote or bracket is never closed'],
  ['a space before the =', 'HOST ="a"', /^line 1: HOST: write KEY="value" without spaces/],
  ['a space after the =', 'HOST= "a"', /^line 1: HOST: write KEY="value" without spaces/],
  ['spaces around the =', 'HOST = a', /^line 1: HOST: write KEY="value" without spaces/],
  ['export', 'export HOST="a"', /^line 1: HOST: write KEY="value" alone, without export/],
  ['+=', 'HOST+="a"', 'line 1: this is no KEY="value" and no comment'],
  ['a section', '[sources]', 'line 1: this is no KEY="value" and no comment'],
  ['a mere word', 'A=1\nHOST', 'line 2: this is no KEY="value" and no comment'],
  ['a ; for a comment', '; comment', 'line 1: this is no KEY="value" and no comment'],
  ['a form feed before a key', '\fA=1', 'line 1: this is no KEY="value" and no comment'],
  ['a function', 'start_pre() {\n}', 'line 1: this is no KEY="value" and no comment'],
  ['a condition', '[ -f x ] && PORT=1', 'line 1: this is no KEY="value" and no comment'],
  ['a key twice', 'A=1\nB=2\nA=1', 'line 3: A: it is already set on line 1'],
  ['cache_dir', 'cache_dir="/x"', 'line 1: cache_dir: write it as CACHE_DIR'],
  ['Port', 'Port="1"', 'line 1: Port: write it as PORT'],
  ['sources_debian', 'sources_debian="a"', 'line 1: sources_debian: write it as SOURCES_debian'],
  ['SOURCES_Debian', 'SOURCES_Debian="a"', 'line 1: SOURCES_Debian: write it as SOURCES_debian'],
  ['CRLF line ends', 'A=1\r\nB=2\r\n', /^line 1: a carriage return, .* run dos2unix/],
  ['a lone carriage return', 'A=1\nB="\r"', /^line 2: a carriage return/],
  ['NUL', 'A=1\n\nB="\0"', 'line 3: a NUL byte'],
  ['a byte order mark', '\ufeffA=1', /^line 1: .* byte order mark/],
  ['a control character', 'A="\u001b[0m"', 'line 1: A: it holds a control character'],
  [
    'a control character between single quotes',
    "A='\u007f'",
    'line 1: A: it holds a control character',
  ],
];

for (const [promise, text, message] of bad) {
  test(`refused with file and line: ${promise}`, (t) => {
    const error = t.throws(() => parseConfFile(text, path), { instanceOf: CacheError });
    t.is(error.code, 'config');
    t.is(error.message, `Cannot read "${path}": ${error.reason}`);
    if (typeof message === 'string') t.is(error.reason, message);
    else t.regex(error.reason, message);
  });
}

test('no error about the form of a line shows its value, which may be a password', (t) => {
  for (const text of ['http://u:s3cr3t@h/;', '"http://u:s3cr3t@h/', 'http://u:s3cr3t@h/ x']) {
    const error = t.throws(() => parseConfFile(`SOURCES=${text}`, path));
    t.notRegex(String(error), /s3cr3t/);
  }
});
