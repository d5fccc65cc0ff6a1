import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { changedKeys, loadConfig } from '../../daemon/config/config.ts';
import { CacheError } from '../../daemon/errors.ts';

const directory = mkdtempSync(join(tmpdir(), 'package-cache-config-'));
test.after.always(() => rmSync(directory, { recursive: true }));

const env = { HOME: '/home/user' };

function confFile(content: string | Uint8Array, name: string): string {
  const path = join(directory, name.replace(/\W+/g, '-'));
  writeFileSync(path, content);
  return path;
}

function loadFile(content: string | Uint8Array, title: string, argv: readonly string[] = []) {
  return loadConfig({ argv: ['--config', confFile(content, title), ...argv], env, uid: 1000 });
}

test('without any configuration a user gets loopback, port 4000 and a cache of his own', (t) => {
  const config = loadConfig({ argv: [], env, uid: 1000 });
  t.like(config, {
    cacheDir: '/home/user/.cache/package-cache',
    hosts: ['127.0.0.1'],
    port: 4000,
    mutable: [],
    immutable: [],
    mutableTtl: 60_000,
    negativeTtl: 10_000,
    hedgeAfter: 2000,
    minFree: { bytes: 1024 ** 3, share: 0.05 },
    allow: ['loopback', 'private', 'local'],
    manifests: [],
    srcUriRescue: false,
    logLevel: 'info',
    maxFills: 64,
    maxConnections: 4096,
    maxConnectionsPerClient: 512,
    syslog: false,
  });
  t.deepEqual(
    config.repositories.map(({ name, sources }) => [name, sources.map(({ url }) => url)]),
    [['', ['http://distfiles.gentoo.org/']]],
  );
  for (const unset of ['file', 'user', 'maxSize', 'cullOlderThan', 'controlSocket', 'accessLog']) {
    t.false(unset in config);
  }
});

test("the default cache is the user's own, or that of a service", (t) => {
  const cacheDir = (found: NodeJS.ProcessEnv, uid: number, argv: string[] = []) =>
    loadConfig({ argv, env: found, uid }).cacheDir;
  t.is(cacheDir(env, 0), '/var/cache/package-cache');
  t.is(cacheDir({ ...env, XDG_CACHE_HOME: '/x' }, 1), '/x/package-cache');
  t.is(cacheDir({ ...env, XDG_CACHE_HOME: 'x' }, 1), '/home/user/.cache/package-cache');
  t.is(cacheDir({}, 1, ['--cache', '/c']), '/c');
  t.throws(() => cacheDir({}, 1), { message: /^Cannot choose "CACHE_DIR": .* use --cache DIR$/ });
});

test('with a file the default cache does not depend on the user, who changes at run time', (t) => {
  t.is(loadFile('', t.title).cacheDir, '/var/cache/package-cache');
});

test('the cache is in the directory that a service manager made, unless something says more', (t) => {
  const env = { CACHE_DIRECTORY: '/var/cache/package-cache.debian:/b', HOME: '/home/user' };
  const cacheDir = (argv: string[], uid: number) => loadConfig({ argv, env, uid }).cacheDir;
  t.is(cacheDir([], 1), '/var/cache/package-cache.debian');
  t.is(cacheDir([], 0), '/var/cache/package-cache.debian');
  t.is(cacheDir(['--cache', '/c'], 1), '/c');
});

test('a file sets every key', (t) => {
  const config = loadFile(
    `PC_USER="pc"\nPC_GROUP="pcg"\nCACHE_DIR="/c"\nHOST="::"\nPORT="1"\nSOURCES="http://b http://a"
     SOURCES_z=http://z/\nSOURCES_a=http://a/\nMUTABLE="m"\nIMMUTABLE="i"\nMUTABLE_TTL="1m"
     NEGATIVE_TTL=1s\nHEDGE_AFTER=3s\nMAX_SIZE=2G\nMIN_FREE=3%\nCULL_OLDER_THAN=2d\nALLOW=any
     CONTROL_SOCKET=/s\nMANIFESTS="/m"\nCA_FILE=/ca\nUPSTREAM_PROXY=http://p:1/
     UPSTREAM_NO_PROXY=lan\nLOG_LEVEL=warn\nACCESS_LOG=/l\nMAX_FILLS=2\nMAX_FILLS_PER_SOURCE=5\nMAX_QUEUE=6\nMAX_CONNECTIONS=3
     MAX_CONNECTIONS_PER_CLIENT=4\nMAX_HEAD_SIZE=8K\nHEAD_TIMEOUT=7s\nIDLE_TIMEOUT=8s
     STALL_TIMEOUT=9s\nMAX_CONTROL_CONNECTIONS=10\nSENDFILE=no\nSRC_URI_RESCUE=yes\n`,
    t.title,
  );
  const { repositories, file, ...rest } = config;
  t.is(file, join(directory, t.title.replace(/\W+/g, '-')));
  t.deepEqual(
    repositories.map(({ name, sources }) => [name, ...sources.map(({ url }) => url)]),
    [
      ['', 'http://b/', 'http://a/'],
      ['z', 'http://z/'],
      ['a', 'http://a/'],
    ],
  );
  t.deepEqual(rest, {
    user: 'pc',
    group: 'pcg',
    cacheDir: '/c',
    hosts: ['::'],
    port: 1,
    mutable: ['m'],
    immutable: ['i'],
    mutableTtl: 60_000,
    negativeTtl: 1000,
    hedgeAfter: 3000,
    maxSize: 2 * 1024 ** 3,
    minFree: { share: 0.03 },
    cullOlderThan: 2 * 86_400_000,
    allow: ['any'],
    controlSocket: '/s',
    manifests: ['/m'],
    srcUriRescue: true,
    caFile: '/ca',
    upstreamProxy: 'http://p:1/',
    upstreamNoProxy: ['lan'],
    logLevel: 'warn',
    accessLog: '/l',
    maxFills: 2,
    maxFillsPerSource: 5,
    maxQueue: 6,
    maxConnections: 3,
    maxConnectionsPerClient: 4,
    maxHeadSize: 8192,
    headTimeout: 7000,
    idleTimeout: 8000,
    stallTimeout: 9000,
    maxControlConnections: 10,
    sendfile: false,
    syslog: false,
  });
});

test('an empty value is an unset one', (t) => {
  const empty =
    'PC_USER=\nHOST=""\nPORT="\n"\nSOURCES=" "\nSOURCES_a=\nALLOW=\nMAX_SIZE=\nPC_OPTS=\n';
  const { file: _, ...config } = loadFile(empty, t.title);
  const { file: _file, ...defaults } = loadFile('', `${t.title} at all`);
  t.deepEqual(config, defaults);
});

test('the command line wins over PC_OPTS, and PC_OPTS over the keys', (t) => {
  const file = `PORT=1\nHOST=::1\nLOG_LEVEL=warn\nSOURCES=http://key
PC_OPTS="--port 2 --cache /opts\n--source http://opts --syslog"\nCACHE_DIR=/key\n`;
  const config = loadFile(file, t.title, ['--port', '3', '--source', 'http://line']);
  t.like(config, { port: 3, cacheDir: '/opts', hosts: ['::1'], logLevel: 'warn', syslog: true });
  t.is(config.repositories[0]?.sources[0]?.url, 'http://line/');
  t.is(loadFile(file, t.title, ['--verbose']).logLevel, 'debug');
});

test('a configuration is frozen to its depths', (t) => {
  const config = loadFile('SOURCES_a=http://u:p@a/\n', t.title);
  const frozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(frozen));
  t.true(frozen(config));
  t.throws(() => Object.assign(config, { port: 1 }), { instanceOf: TypeError });
});

const refused: readonly (readonly [content: string | Uint8Array, reason: RegExp])[] = [
  ['\n\nCACHE_DRI="/x"\n', /^line 3: CACHE_DRI: unknown key, did you mean CACHE_DIR\?$/],
  ['NODE_OPTIONS="-x"', /^line 1: NODE_OPTIONS: unknown key$/],
  ['FOO=""', /^line 1: FOO: unknown key$/],
  ['# a\nPORT="many"', /^line 2: PORT: write a number from 0 to 65535$/],
  [
    'SOURCES="http://a/\nhttp://u:s3cr3t@b/?x"',
    /^line 1: SOURCES: "http:\/\/b\/\?…": a source has/,
  ],
  [
    'UPSTREAM_PROXY="https://u:s3cr3t@p/"',
    /^line 1: UPSTREAM_PROXY: "https:\/\/p\/": only an http/,
  ],
  ['PC_OPTS="--prot 1"', /^line 1: PC_OPTS: cannot use "--prot": unknown .*mean --port\?$/],
  ['PC_OPTS="--config /x"', /^line 1: PC_OPTS: cannot use "--config": it belongs on the/],
  [
    'PC_OPTS="--source u:s3cr3t@h"',
    /^line 1: PC_OPTS: cannot use "--source": "h": it has no scheme/,
  ],
  ['host="::1"', /^line 1: host: write it as HOST$/],
  ['HOST "::1"', /^line 1: this is no KEY="value"/],
  [Buffer.from('# ok\nA="\xff"', 'latin1'), /^line 2: the bytes are not UTF-8$/],
  [Buffer.from('# \xff\nA="\xff"\n', 'latin1'), /^line 1: the bytes are not UTF-8$/],
  ['\ufeffPORT=1', /^line 1: .* byte order mark/],
];

for (const [index, [content, reason]] of refused.entries()) {
  const shown = JSON.stringify(Buffer.from(content).toString('latin1'));
  test(`a file of ${shown} is an error that names it`, (t) => {
    const error = t.throws(() => loadFile(content, `refused ${index}`), { instanceOf: CacheError });
    t.is(error.code, 'config');
    t.true(error.message.startsWith(`Cannot read "${directory}/`));
    t.regex(error.reason, reason);
    t.notRegex(error.message, /s3cr3t/);
  });
}

test('a file that cannot be read is named, with the reason in words', (t) => {
  const load = (path: string) => loadConfig({ argv: ['--config', path], env });
  t.throws(() => load('/nowhere/conf'), {
    message: 'Cannot read "/nowhere/conf": no such file or directory',
    code: 'config',
  });
  t.throws(() => load(directory), { message: `Cannot read "${directory}": it is a directory` });
  t.throws(() => load(join(confFile('', t.title), 'x')), { message: /: not a directory$/ });
});

test('a change is reported by its key, as one for a reload or for a restart', (t) => {
  const before = loadFile('', t.title);
  const after = loadFile(
    `PORT=1\nSOURCES=http://a/\nSOURCES_new=http://n/\nALLOW=any\nPC_OPTS="--syslog"\nMIN_FREE=0`,
    t.title,
  );
  t.deepEqual(changedKeys(before, after), {
    live: ['SOURCES', 'SOURCES_new', 'MIN_FREE', 'ALLOW'],
    restart: ['PORT', 'PC_OPTS'],
  });
  t.deepEqual(changedKeys(after, before), changedKeys(before, after));
  t.deepEqual(changedKeys(before, loadFile('', t.title)), { live: [], restart: [] });
});

test('a new password is a change, another order of repositories is none', (t) => {
  const [old, changed] = ['old', 'new'].map((password) =>
    loadFile(`SOURCES_a=http://u:${password}@a/\nSOURCES_b=http://b/`, `${t.title} ${password}`),
  );
  if (old === undefined || changed === undefined) return t.fail();
  t.deepEqual(changedKeys(old, changed), { live: ['SOURCES_a'], restart: [] });
  const turned = loadFile('SOURCES_b=http://b/\nSOURCES_a=http://u:old@a/', t.title);
  t.deepEqual(changedKeys(old, turned), { live: [], restart: [] });
});

test('every key that a file can set is seen when it changes', (t) => {
  const before = loadFile('', t.title);
  for (const [key, value] of [
    ['PC_USER', 'u'],
    ['CACHE_DIR', '/c'],
    ['HOST', '::'],
    ['MUTABLE', 'm'],
    ['MAX_SIZE', '2G'],
    ['CONTROL_SOCKET', '/s'],
    ['UPSTREAM_PROXY', 'http://p/'],
    ['UPSTREAM_NO_PROXY', 'lan'],
    ['LOG_LEVEL', 'warn'],
    ['MAX_CONNECTIONS_PER_CLIENT', '4'],
    ['MAX_HEAD_SIZE', '8K'],
    ['STALL_TIMEOUT', '1m'],
  ] as const) {
    const { live, restart } = changedKeys(before, loadFile(`${key}=${value}`, t.title));
    t.deepEqual([...live, ...restart], [key]);
  }
});
