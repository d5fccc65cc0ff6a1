import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { startDaemon } from '../helpers/daemon.ts';
import { startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

// Nothing here may reach the origin or the disk, so all tests can share both and look at them.
const scene = share(test, async (t) => {
  const origin = await startOrigin(t, { files: { '/*': 'should not have been asked' } });
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { SOURCES_deb: origin.url } });
  return { origin, daemon, before: await tree(daemon.cacheDir) };
});

/** All files and directories; the counters are saved once a minute, whatever happens. */
async function tree(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true });
  return names.filter((name) => !name.includes('stats.json')).toSorted();
}

test.afterEach.always('no source was asked and no file was made', async (t) => {
  const { origin, daemon, before } = scene();
  t.is(origin.count(), 0);
  t.deepEqual(await tree(daemon.cacheDir), before);
});

const methods = [
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'PROPFIND',
  'PURGE',
  'QUERY',
];

for (const method of methods) {
  test(`${method} is 405 with Allow (RFC 9110 15.5.6)`, async (t) => {
    const answer = await scene().daemon.get('/a.tar.gz', { method });
    t.is(answer.status, 405);
    t.is(answer.header('allow'), 'GET, HEAD');
    t.regex(String(answer.body), new RegExp(`^Cannot .* "/a\\.tar\\.gz": the method is ${method}`));
  });
}

test('a method that nobody knows is 405 too, and so is OPTIONS *', async (t) => {
  const { daemon } = scene();
  for (const [method, target] of [
    ['FOO', '/a.tar.gz'],
    ['get', '/a.tar.gz'],
    ['BREW', '*'],
    ['OPTIONS', '*'],
  ] as const) {
    const answer = await daemon.get(target, { method });
    t.is(answer.status, 405, method);
    t.is(answer.header('allow'), 'GET, HEAD', method);
  }
});

test('a body that comes with a wrong method does not hide the answer', async (t) => {
  const payload = Buffer.alloc(3_000_000, 'a');
  const fields: [string, string][] = [['Content-Length', String(payload.length)]];
  const answer = await scene().daemon.get('/a.tar.gz', { method: 'PUT', fields, payload });
  t.is(answer.status, 405);
  t.is(answer.ended, 'complete');
});

test('CONNECT is 403: no open proxy', async (t) => {
  const { daemon, origin } = scene();
  for (const target of [
    'keys.gentoo.org:443',
    `127.0.0.1:${origin.port}`,
    `127.0.0.1:${daemon.port}`,
  ]) {
    const answer = await daemon.get(target, { method: 'CONNECT' });
    t.is(answer.status, 403, target);
    t.is(answer.header('connection'), 'close', target);
    t.regex(String(answer.body), /no open proxy/, target);
  }
});

const bad: readonly (readonly [why: string, ...targets: string[]])[] = [
  ['a climb', '/../a.tar.gz', '/a/../b.tar.gz', '/a/..', '/%2e%2e/a', '/.%2E/a', '/deb/../a'],
  ['an encoded slash', '/a%2fb.tar.gz', '/a%2Fb.tar.gz', '/..%2fetc/passwd'],
  ['a backslash', '/a\\b.tar.gz', '/a%5cb.tar.gz', '/..%5c..%5cetc'],
  ['a NUL', '/a%00.tar.gz', '/%00'],
  ['a bad escape', '/%', '/a%2', '/%zz', '/%u0041', '/a%'],
  ['what is not UTF-8', '/%ff', '/%c0%ae%c0%ae/a', '/%ed%a0%80', '/%c3'],
  ['a name over 255 bytes', `/${'a'.repeat(256)}`, `/a/${'%C3%A4'.repeat(128)}.tar.gz`],
  ['a key over 1024 bytes', `/${'a/'.repeat(512)}bc`],
  ['a fragment', '/a.tar.gz#b', '/#'],
  ['no target', '*', 'http://', 'http:///a.tar.gz', 'http://a@b/c', 'http://[::1/'],
];

for (const [why, ...targets] of bad) {
  test(`${why} is 400`, async (t) => {
    for (const target of targets) {
      const answer = await scene().daemon.get(target);
      t.is(answer.status, 400, target);
      t.is(answer.header('cache-status'), 'package-cache; detail=bad-request', target);
      t.regex(String(answer.body), /^Cannot parse (?:path|target) ".+": .+\n$/, target);
    }
  });
}

test('a bad target is answered on a connection that goes on', async (t) => {
  const { daemon } = scene();
  const answer = await daemon.get('/%zz');
  t.is(answer.header('connection'), 'keep-alive');
  t.is(answer.header('content-type'), 'text/plain; charset=utf-8');
  t.is(answer.header('content-length'), String(answer.body.length));
});

test("the cache's own names are 404 and never forwarded", async (t) => {
  const { daemon, origin } = scene();
  const id = await readFile(join(daemon.cacheDir, '.package-cache/id'), 'utf8');
  const targets = [
    '/.package-cache',
    '/.package-cache/',
    '/.package-cache/id',
    '/.package-cache/health/',
    '/.package-cache/health?a',
    '/.package-cache/healthy',
    '/.package-cache-self',
    '/a/.package-cache-self',
    '/deb/.package-cache/id',
    '/%2Epackage-cache/id',
    '/.package%2Dcache/id?a',
    `${origin.url}.package-cache/id`,
  ];
  for (const target of targets) {
    const answer = await daemon.get(target);
    t.is(answer.status, 404, target);
    t.false(String(answer.body).includes(id.trim()), target);
  }
});

test('the health page says ok, to GET and to HEAD', async (t) => {
  const { daemon } = scene();
  const page = await daemon.get('/.package-cache/health');
  t.is(page.status, 200);
  t.is(String(page.body), 'ok\n');
  t.is(page.header('content-type'), 'text/plain; charset=utf-8');
  const head = await daemon.get('/.package-cache/health', { method: 'HEAD' });
  t.like(head, { status: 200, surplus: 0 });
  t.is(head.header('content-length'), '3');
  t.is((await daemon.get('/.package-cache/health', { method: 'POST' })).status, 405);
});

test('a request that has been here before is 508, by Via and by CDN-Loop', async (t) => {
  const { daemon } = scene();
  const id = (await readFile(join(daemon.cacheDir, '.package-cache/id'), 'utf8')).trim();
  const trails: [string, string][] = [
    ['Via', `1.1 ${id}`],
    ['via', `1.0 squid.example (squid/5.7), 1.1 ${id}, HTTP/2 other`],
    ['CDN-Loop', id],
    ['cdn-loop', `other; v=1, ${id}; a=b`],
  ];
  for (const trail of trails) {
    for (const target of ['/a.tar.gz', '/a/', '/a?b', '/.package-cache/health']) {
      const answer = await daemon.get(target, { fields: [trail] });
      t.is(answer.status, 508, `${trail.join(': ')} ${target}`);
      t.is(answer.header('cache-status'), 'package-cache; detail=loop');
    }
  }
});
