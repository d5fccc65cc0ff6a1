import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { exitCodes } from '../../ctl/failure.ts';
import { synopsis } from '../../ctl/help.ts';
import { commandNames, commandOf, commonOptions, optionsOf } from '../../ctl/usage.ts';
import { keyNames } from '../../daemon/config/key-names.ts';
import { type Key, keys } from '../../daemon/config/keys.ts';
import { helpText } from '../../daemon/config/options.ts';
import { root } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';

const pages = ['package-cache.8', 'package-cache-ctl.8', 'package-cache.conf.5'] as const;
const daemonPage = read('package-cache.8');
const ctlPage = read('package-cache-ctl.8');
const confPage = read('package-cache.conf.5');

function read(page: (typeof pages)[number]): string {
  return readFileSync(join(root, 'contrib/man', page), 'utf8');
}

/** What roff makes of a line: escapes and font changes are gone, arguments stand together. */
function plainLine(line: string): string {
  const [, macro, rest = ''] = /^\.([A-Z]+) ?(.*)$/.exec(line) ?? [undefined, undefined, line];
  const words =
    macro?.length === 2 && /^[BIR]{2}$/.test(macro)
      ? [...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare).join('')
      : rest;
  return words
    .replace(/\\f[BIR]/g, '')
    .replace(/\\([-&])/g, (_, character) => (character === '-' ? '-' : ''))
    .replace(/\\\((..)/g, (_, name) => (name === 'dq' ? '"' : ''));
}

/** The page's sections (`SH`) or subsections (`SS`) by heading. */
function partsOf(page: string, macro: 'SH' | 'SS'): ReadonlyMap<string, string> {
  const pattern = macro === 'SH' ? /^\.SH /m : /^\.S[SH] /m;
  const parts = page.split(pattern).slice(1);
  return new Map(
    parts.map((part) => {
      const [heading = '', ...body] = part.split('\n');
      return [plainLine(heading).replaceAll('"', ''), body.join('\n')];
    }),
  );
}

/** The paragraphs with a tag, by tag. */
function tagsOf(text: string): ReadonlyMap<string, string> {
  const paragraphs = text.split(/^\.TP\n/m).slice(1);
  return new Map(
    paragraphs.map((paragraph) => {
      const [tag = '', ...body] = paragraph.split(/\n(?:\.(?:TP|S[SH]|RE)\b.*\n)?/);
      return [plainLine(tag), body.map(plainLine).join(' ')];
    }),
  );
}

const commandParts = partsOf(ctlPage, 'SS');

for (const name of commandNames) {
  test(`package-cache-ctl(8) tells how ${name} is typed, and each of its options`, (t) => {
    const part = commandParts.get(synopsis(name));
    t.truthy(part, `no .SS ${synopsis(name)}`);
    const tags = [...tagsOf(part ?? '').keys()];
    for (const { option, value } of optionsOf(name)) {
      t.true(tags.includes(value === undefined ? option : `${option} ${value}`), option);
    }
    const words = (part ?? '').split('\n').map(plainLine).join(' ');
    for (const { choices = [] } of commandOf(name).arguments) {
      for (const choice of choices) t.regex(words, new RegExp(`\\b${choice}\\b`));
    }
  });
}

test('package-cache-ctl(8) has no command that there is not', (t) => {
  const inCommands = /^\.SH COMMANDS\n(.*?)^\.SH /ms.exec(ctlPage)?.[1] ?? '';
  t.deepEqual([...partsOf(inCommands, 'SS').keys()], commandNames.map(synopsis));
});

test('package-cache-ctl(8) tells the common options and the exit codes', (t) => {
  const sections = partsOf(ctlPage, 'SH');
  const options = [...tagsOf(sections.get('OPTIONS') ?? '').keys()];
  t.deepEqual(
    options,
    commonOptions.map((row) => ('value' in row ? `${row.option} ${row.value}` : row.option)),
  );
  const codes = [...tagsOf(sections.get('EXIT STATUS') ?? '').keys()];
  t.deepEqual(codes, [...Object.values(exitCodes), 130].map(String));
});

const replyNames: Readonly<Record<string, string>> = {
  ls: 'ListReply',
  import: 'FetchReply',
  'log-level': 'LogLevelReply',
};

/** The fields of an interface of the daemon's reports, those it inherits first. */
function fieldsOf(name: string): readonly string[] {
  const files = ['reports.ts', 'content-reports.ts'];
  const reports = files
    .map((file) => readFileSync(join(root, 'daemon/control', file), 'utf8'))
    .join();
  const pattern = new RegExp(`interface ${name}(?: extends (\\w+))? \\{\\n(.*?)^\\}`, 'ms');
  const [, base, body = ''] = pattern.exec(reports) ?? [];
  const own = [...body.matchAll(/^ {2}readonly (\w+):/gm)].map(([, field = '']) => field);
  return [...(base === undefined ? [] : fieldsOf(base)), ...own];
}

const jsonTags = tagsOf(partsOf(ctlPage, 'SH').get('JSON') ?? '');

for (const name of commandNames.filter((each) => each !== 'watch')) {
  test(`package-cache-ctl(8) names every field of what ${name} --json prints`, (t) => {
    const fields = fieldsOf(
      replyNames[name] ?? `${name[0]?.toUpperCase() ?? ''}${name.slice(1)}Reply`,
    );
    t.true(fields.length > 0);
    const told = (jsonTags.get(name) ?? '').replace(/\([^()]*(?:\([^()]*\)[^()]*)*\)/g, '');
    const names = told.split(/[\s,]+/).filter((word) => word !== '' && word !== 'rows');
    t.deepEqual(names.toSorted(), fields.toSorted());
  });
}

const keyTags = tagsOf(confPage);

for (const name of keyNames) {
  test(`package-cache.conf(5) tells what ${name} is, its default, and whether it restarts`, (t) => {
    const row: Key = keys[name];
    const tag = row.change === 'restart' ? `${name} [restart]` : name;
    const found = [...keyTags].find(([each]) => each.replace('_ <', '_<') === tag)?.[1] ?? '';
    const expected = row.default === '' ? 'none' : row.default;
    t.true(found.includes(`Default: ${expected}.`), `${tag}: ${found}`);
  });
}

test('package-cache.conf(5) lists the keys in the order of the file, and no others', (t) => {
  const listed = [...keyTags.keys()]
    .map((tag) => tag.replace(' [restart]', '').replace('_ <', '_<'))
    .filter((tag) => /^[A-Z]/.test(tag));
  t.deepEqual(listed, [...keyNames]);
});

test('package-cache(8) tells every option, exit code and signal', (t) => {
  const sections = partsOf(daemonPage, 'SH');
  const options = [...helpText().matchAll(/^ {2}(--\S+(?: [A-Z]+)?) /gm)].map(([, row]) => row);
  t.deepEqual(
    [...tagsOf(sections.get('OPTIONS') ?? '').keys()].toSorted(),
    options.map(String).toSorted(),
  );
  t.deepEqual([...tagsOf(sections.get('EXIT STATUS') ?? '').keys()], ['0', '1', '70', '78']);
  const signals = [...tagsOf(sections.get('SIGNALS') ?? '').keys()].join(' ');
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) t.true(signals.includes(name));
});

for (const page of pages) {
  test(`${page} is formatted without a warning, and names the others`, (t) => {
    for (const other of pages.filter((each) => each !== page)) {
      const [, name, section] = /^(.*)\.(\d)$/.exec(other) ?? [];
      t.true(read(page).replaceAll('\\-', '-').includes(`${name} (${section})`), other);
    }
    if (!needs(t, 'groff')) return;
    const file = join(root, 'contrib/man', page);
    const { status, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z', file], {
      encoding: 'utf8',
    });
    t.is(stderr, '');
    t.is(status, 0);
  });
}
