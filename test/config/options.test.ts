import test from 'ava';
import { helpText, parseOptionSettings, parseOptions } from '../../daemon/config/options.ts';
import { CacheError } from '../../daemon/errors.ts';

test('without options the daemon runs, and nothing is set', (t) => {
  t.deepEqual(parseOptions([]), { action: 'run', settings: {} });
});

test('every classic option sets its value', (t) => {
  const options = parseOptions(
    [
      '--source',
      'http://a',
      '--source=http://b/',
      '--cache',
      'c',
      '--host',
      '::',
      '--port=0',
    ].concat(['--syslog', '--verbose', '--config', '../conf']),
    '/srv/here',
  );
  t.like(options, {
    action: 'run',
    config: '/srv/conf',
    settings: { cacheDir: '/srv/here/c', hosts: ['::'], port: 0, logLevel: 'debug', syslog: true },
  });
  const urls = 'settings' in options ? options.settings.sources?.map(({ url }) => url) : undefined;
  t.deepEqual(urls, ['http://a/', 'http://b/']);
});

test('a relative path is below the working directory', (t) => {
  t.like(parseOptions(['--cache', 'c']), { settings: { cacheDir: `${process.cwd()}/c` } });
});

test('of an option that counts once the last one counts', (t) => {
  t.like(parseOptions(['--port', '1', '--port', '2']), { settings: { port: 2 } });
});

test('--check-config, --version and --help say what to do instead of running', (t) => {
  t.like(parseOptions(['--check-config', '--config', '/c']), { action: 'check', config: '/c' });
  t.deepEqual(parseOptions(['--version', '--port', '1']), { action: 'version' });
  t.deepEqual(parseOptions(['--version', '--help']), { action: 'help' });
});

const refused: readonly (readonly [argv: readonly string[], message: string])[] = [
  [['--prot', '1'], 'Cannot use "--prot": unknown option, did you mean --port?'],
  [['--sources=http://a/'], 'Cannot use "--sources": unknown option, did you mean --source?'],
  [['--frobnicate'], 'Cannot use "--frobnicate": unknown option, see --help'],
  [['-p', '1'], 'Cannot use "-p": unknown option, see --help'],
  [['--no-syslog'], 'Cannot use "--no-syslog": unknown option, did you mean --syslog?'],
  [['--port'], 'Cannot use "--port": its value is missing'],
  [['--cache='], 'Cannot use "--cache": its value is missing'],
  [['--cache', '--verbose'], 'Cannot use "--cache": its value is missing'],
  [['--verbose=yes'], 'Cannot use "--verbose": it takes no value'],
  [['start'], 'Cannot use "start": it is no option, see --help'],
  [['--', '--port'], 'Cannot use "--port": it is no option, see --help'],
  [['http://u:s3cr3t@host/'], 'Cannot use "http://host/": it is no option, see --help'],
  [['--port', 'x'], 'Cannot use "--port": write a number from 0 to 65535'],
  [['--cache', '/'], 'Cannot use "--cache": the cache needs a directory of its own'],
  [['--host', ' '], 'Cannot use "--host": write an address'],
  [['--host', '*'], 'Cannot use "--host": write 0.0.0.0, or :: for IPv6 too'],
  [
    ['--source', 'u:s3cr3t@host'],
    'Cannot use "--source": "host": it has no scheme, write http://host',
  ],
  [
    ['--source', 'http://a', '--source', 'http://A/'],
    'Cannot use "--source": "http://a/" is listed twice',
  ],
];

for (const [argv, message] of refused) {
  test(`"${argv.join(' ')}" is a usage error of one sentence`, (t) => {
    const error = t.throws(() => parseOptions(argv), { instanceOf: CacheError });
    t.is(error.code, 'usage');
    t.is(error.message, message);
  });
}

test('PC_OPTS sets values, and nothing that is decided before the file is read', (t) => {
  t.deepEqual(parseOptionSettings(['--port', '1', '--syslog']), { port: 1, syslog: true });
  for (const option of ['--config=/x', '--check-config', '--help', '--version']) {
    t.throws(() => parseOptionSettings([option]), { message: /belongs on the command line/ });
  }
  t.throws(() => parseOptionSettings(['--cache', 'relative']), { message: /no absolute path/ });
});

test('the help names every option, the file and the exit codes, within 100 columns', (t) => {
  const help = helpText();
  const names = 'source cache host port config check-config syslog verbose version help';
  for (const name of names.split(' ')) t.regex(help, new RegExp(`^  --${name} .*\\w`, 'm'));
  t.regex(help, /\/etc\/conf\.d\/package-cache/);
  t.regex(help, /\b0 done.*\b78\b/);
  t.true(help.split('\n').every((line) => line.length <= 100));
});
