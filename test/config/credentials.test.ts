import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { loadConfig } from '../../daemon/config/config.ts';
import { keyNames } from '../../daemon/config/key-names.ts';
import { CacheError } from '../../daemon/errors.ts';
import { tempDir } from '../helpers/files.ts';

const secret = 's3cret-w0rd';

/** A URL with a password, right and in every way wrong that a hand makes it. */
const urls = [
  `http://user:${secret}@host/`,
  `http://user:${secret}@host:8080/gentoo/`,
  `http://user:${secret}@`,
  `http://user:${secret}@/`,
  `http://user:${secret}@:80/`,
  `http://user:${secret}@host:99999/`,
  `http://user:${secret}@host:port/`,
  `http://user:${secret}@host/?mirror=1`,
  `http://user:${secret}@host/#top`,
  `http://user:${secret}@host/../x`,
  `http://user:${secret}@host/%zz`,
  `http://user:${secret}@ho<st/`,
  `http://user:${secret}@[::g]/`,
  `http://user:${secret}@::1/`,
  `http://user:${secret}@host@other/`,
  `http://us@er:${secret}@host:x/`,
  `http://user:${secret}%zz@host/`,
  `http://user:${secret}%0a@host/`,
  `http://us%3Aer:${secret}@host/`,
  `http://user:${secret}#@host/`,
  `http://user:${secret}?@host/`,
  `http://user:${secret}/x@host/`,
  `http://user:${secret}`,
  `http://user:${secret}/`,
  `http://${secret}@host:x/`,
  `http://user:x ${secret}@host/`,
  `http://user:${secret}@host/ http://user:${secret}@host/`,
  `http://user:${secret}@host/,http://other/`,
  `http://a/,http://user:${secret}@host/`,
  `http://a/;http://user:${secret}@host:x/`,
  `http:/user:${secret}@host/`,
  `http:user:${secret}@host/`,
  `http//user:${secret}@host/`,
  `http:\\\\user:${secret}@host\\`,
  `htp://user:${secret}@host/`,
  `ftp://user:${secret}@host/`,
  `socks5://user:${secret}@host:1080/`,
  `//user:${secret}@host/`,
  `user:${secret}@host`,
  `"http://user:${secret}@host/`,
  `http://user:$${secret}@host/`,
  `http://user:'${secret}@host/`,
];

/** Lines of a file that hold one, well-formed and not. */
function linesWith(url: string): readonly string[] {
  return [
    ...keyNames.map((name) => `${name.replace('<name>', 'x')}="${url}"`),
    `SOURCES='${url}'`,
    `SOURCES="user:${secret}"`,
    `UPSTREAM_PROXY="user:${secret}"`,
    `SOURCES=${url}`,
    `SOURCES = "${url}"`,
    `SOURCES="${url}`,
    `SOURCES="http://a/ ${url}"`,
    `SOURCE="${url}"`,
    `sources="${url}"`,
    `export SOURCES="${url}"`,
    `SOURCES="http://a/" "${url}"`,
    `PC_OPTS="--source ${url}"`,
    `PC_OPTS="--source=${url}"`,
    `PC_OPTS="--sorce ${url}"`,
    `http_proxy=${url}; UPSTREAM_PROXY="${url}"`,
    url,
  ];
}

/** What is told of an attempt to load this: of an error's causes nothing ever is. */
function toldOf(argv: readonly string[]): string {
  try {
    loadConfig({ argv, env: { HOME: '/nowhere' }, uid: 1000 });
    return '';
  } catch (error) {
    if (!(error instanceof CacheError)) throw error;
    return `${error.message}\n${error.stack}`;
  }
}

async function confFile(t: ExecutionContext): Promise<string> {
  return join(await tempDir(t), 'package-cache.conf');
}

test('no error about a configuration file holds a password that stands in it', async (t) => {
  const path = await confFile(t);
  let refused = 0;
  for (const url of urls) {
    for (const line of linesWith(url)) {
      writeFileSync(path, `# first\n${line}\n`);
      const told = toldOf(['--config', path]);
      if (told !== '') refused += 1;
      t.false(told.includes(secret), `${line}\n${told}`);
    }
  }
  t.true(refused > 1000);
});

test('no error about the command line holds a password that stands in it', (t) => {
  let refused = 0;
  for (const url of urls) {
    const ways = [
      ['--source', url],
      [`--source=${url}`],
      ['--source', 'http://a/', '--source', url],
      ['--sorce', url],
      [`--sorce=${url}`],
      ['--host', url],
      ['--port', url],
      ['--cache', url],
      ['--verbose', url],
      [`--verbose=${url}`],
      [`-s${url}`],
      [url],
    ];
    for (const argv of ways) {
      const told = toldOf(argv);
      if (told !== '') refused += 1;
      t.false(told.includes(secret), `${argv.join(' ')}\n${told}`);
    }
  }
  t.true(refused > 300);
});
