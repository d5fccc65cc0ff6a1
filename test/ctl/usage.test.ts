import test from 'ava';
import { ControlFailure } from '../../ctl/failure.ts';
import { commandHelp, helpText, synopsis } from '../../ctl/help.ts';
import {
  commandNames,
  commandOf,
  commonOptions,
  operandsOf,
  optionsOf,
  parseUsage,
} from '../../ctl/usage.ts';

const run = { action: 'run', params: {}, json: false, quiet: false } as const;

test('a command alone runs without arguments', (t) => {
  for (const command of commandNames) {
    if (operandsOf(command).some(({ required }) => required)) continue;
    t.deepEqual(parseUsage([command]), { ...run, command });
  }
});

const understood: readonly (readonly [argv: readonly string[], order: object])[] = [
  [['cull', '--older-than', '90d'], { command: 'cull', params: { olderThan: '90d' } }],
  [['cull', '--to-size=1T', '--dry-run'], { params: { toSize: '1T', dryRun: true } }],
  [['cull', '--path', 'a/**', '--list'], { params: { path: 'a/**', list: true } }],
  [['cull', '--path=--odd'], { params: { path: '--odd' } }],
  [['cull', '--older-than', '1d', '--older-than', '2d'], { params: { olderThan: '2d' } }],
  [['--json', 'ls', '--sort', 'size'], { json: true, params: { sort: 'size' } }],
  [['ls', 'a*', '--json'], { json: true, params: { path: 'a*' } }],
  [['purge', 'a', 'b'], { params: { patterns: ['a', 'b'] } }],
  [['purge', '--', '-a'], { params: { patterns: ['-a'] } }],
  [['fetch', '-'], { params: { paths: ['-'] } }],
  [['why', 'http://h/x?y'], { params: { path: 'http://h/x?y' } }],
  [['log-level', 'debug'], { params: { level: 'debug' } }],
  [['status', '--socket', '/s', '--quiet'], { socket: '/s', quiet: true }],
  [['--socket=/s', 'status'], { socket: '/s' }],
];

for (const [argv, order] of understood) {
  test(`"${argv.join(' ')}" is understood`, (t) => {
    t.like(parseUsage(argv), { action: 'run', ...order });
  });
}

const refused: readonly (readonly [argv: readonly string[], message: string])[] = [
  [[], 'Cannot use "package-cache-ctl": it wants a command, see --help'],
  [['stat'], 'Cannot use "stat": unknown command, did you mean stats?'],
  [['CULL'], 'Cannot use "CULL": unknown command, did you mean cull?'],
  [['frobnicate'], 'Cannot use "frobnicate": unknown command, see --help'],
  [['help'], 'Cannot use "help": unknown command, did you mean --help?'],
  [['down'], 'Cannot use "down": unknown command, did you mean downloads?'],
  [['--jsno', 'ls'], 'Cannot use "--jsno": unknown option, did you mean --json?'],
  [['-j'], 'Cannot use "-j": unknown option, see --help'],
  [['cull', '-x'], 'Cannot use "-x": unknown option, see cull --help'],
  [
    ['cull', '--odler-than', '9d'],
    'Cannot use "--odler-than": unknown option, did you mean --older-than?',
  ],
  [['cull', '--older'], 'Cannot use "--older": unknown option, did you mean --older-than?'],
  [['ls', '--older-than', '9d'], 'Cannot use "--older-than": ls has no such option'],
  [['cull', '--older-than'], 'Cannot use "--older-than": its value (AGE) is missing'],
  [['cull', '--path', '--list'], 'Cannot use "--path": its value (GLOB) is missing'],
  [['--json=yes', 'ls'], 'Cannot use "--json": it takes no value'],
  [['--json', '--quiet', 'ls'], 'Cannot use "--quiet": it does not go with --json'],
  [['status', 'now'], 'Cannot use "now": status takes no operand'],
  [['cull', '90d'], 'Cannot use "90d": cull takes no path but with --path'],
  [['ls', 'a', 'b'], 'Cannot use "b": ls takes one GLOB only'],
  [['purge'], 'Cannot use "purge": it wants PATH|GLOB, see purge --help'],
  [['purge', ''], 'Cannot use "purge": an empty PATH|GLOB'],
  [
    ['ls', '--sort', 'siez'],
    'Cannot use "--sort siez": write one of path size used, did you mean size?',
  ],
  [
    ['log-level', 'wran'],
    'Cannot use "wran": write one of error warn info debug, did you mean warn?',
  ],
  [['a\u001b[31m'], 'Cannot use "a\\u001b[31m": unknown command, see --help'],
];

for (const [argv, message] of refused) {
  test(`"${argv.join(' ')}" is refused in one sentence`, (t) => {
    const error = t.throws(() => parseUsage(argv), { instanceOf: ControlFailure });
    t.is(error.message, message);
    t.is(error.exitCode, 2);
  });
}

test('--help and --version end it, whatever else is there', (t) => {
  t.deepEqual(parseUsage(['--help', '--version']), { action: 'help' });
  t.deepEqual(parseUsage(['cull', '--help']), { action: 'help', command: 'cull' });
  t.deepEqual(parseUsage(['purge', '--version']), { action: 'version' });
});

test('an option takes a value in all commands or in none, and none is named as a common one', (t) => {
  const all = [...commonOptions, ...commandNames.flatMap(optionsOf)];
  const kinds = new Map<string, boolean>();
  for (const row of all) {
    const takesValue = 'value' in row;
    t.is(kinds.get(row.option) ?? takesValue, takesValue, row.option);
    kinds.set(row.option, takesValue);
  }
  const common: readonly string[] = commonOptions.map(({ option }) => option);
  t.false(commandNames.flatMap(optionsOf).some(({ option }) => common.includes(option)));
});

test('no command takes two operands, so that their order needs no learning', (t) => {
  for (const command of commandNames) t.true(operandsOf(command).length <= 1, command);
});

test('the help names every command, option and exit code, within 100 columns', (t) => {
  const help = helpText();
  for (const name of commandNames) {
    t.regex(help, new RegExp(`^  ${name} +${commandOf(name).summary}$`, 'm'));
  }
  for (const { option } of commonOptions) t.regex(help, new RegExp(`^  ${option} .*\\w`, 'm'));
  t.regex(help, /0 done.*1 refused.*2 wrong usage.*3 no daemon/);
  t.true(help.split('\n').every((line) => line.length <= 100));
});

test('the help of a command says how it is typed, and what each argument is', (t) => {
  t.is(synopsis('purge'), 'purge PATH|GLOB...');
  t.is(synopsis('ls'), 'ls [--sort KEY] [GLOB]');
  for (const name of commandNames) {
    const help = commandHelp(name);
    t.true(help.startsWith(`Usage: package-cache-ctl ${synopsis(name)}\n`));
    for (const { help: line } of commandOf(name).arguments) t.true(help.includes(line));
    t.true(help.split('\n').every((line) => line.length <= 100));
  }
});
