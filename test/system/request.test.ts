import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { startDaemon } from '../helpers/daemon.ts';
import { type Answer, bodyOf, defaultLastModified, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const scene = share(test, async (t) => {
  const origin = await startOrigin(t);
  return { origin, daemon: await startDaemon(t, { sources: [origin.url] }) };
});

/** A file of its own for each test, so that all of them may run at once. */
function serve(name: string, answer: Answer = {}) {
  const { origin, daemon } = scene();
  const body = bodyOf(name, 100_000);
  const target = `/distfiles/aa/${name}`;
  origin.serve(target, { body, ...answer });
  return {
    target,
    body,
    get: (fields: [string, string][] = []) => daemon.get(target, { fields }),
    head: (fields: [string, string][] = []) => daemon.get(target, { method: 'HEAD', fields }),
    asked: () => origin.requests.filter((request) => request.target === target),
    stored: () => daemon.logged(new RegExp(`stored "distfiles/aa/${name}"`)),
    file: join(daemon.cacheDir, target),
  };
}

const etag = '"67748580-186a0"';

test('a miss is fetched once and handed on; from then on it is a hit', async (t) => {
  const { get, body, asked } = serve('miss.tar.gz');
  const miss = await get();
  t.like(miss, { status: 200, ended: 'complete', surplus: 0 });
  t.true(miss.body.equals(body));
  t.is(miss.header('cache-status'), 'package-cache; fwd=uri-miss; stored');
  for (const time of ['first', 'second']) {
    const hit = await get();
    t.like(hit, { status: 200, ended: 'complete', surplus: 0 }, time);
    t.true(hit.body.equals(body), time);
    t.is(hit.header('cache-status'), 'package-cache; hit', time);
  }
  t.is(asked().length, 1);
});

test('what was fetched lies at its plain path, byte for byte, dated as the origin has it', async (t) => {
  const { get, body, file, stored } = serve('file.tar.gz');
  await get();
  await stored();
  t.true((await readFile(file)).equals(body));
  t.like(await stat(file), { mode: 0o100644, mtimeMs: Date.parse(defaultLastModified) });
  t.is((await stat(join(file, '..'))).mode, 0o040755);
});

test('a stored file is served with the sources down', async (t) => {
  const origin = await startOrigin(t, { files: { '/a.tar.gz': 'a package' } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  await daemon.get('/a.tar.gz');
  await daemon.logged(/stored/);
  await origin.stop();
  const hit = await daemon.get('/a.tar.gz');
  t.is(String(hit.body), 'a package');
  t.is(hit.header('cache-status'), 'package-cache; hit');
  await daemon.restart();
  t.is(String((await daemon.get('/a.tar.gz')).body), 'a package');
});

test('hit and miss have the same fields: length, date, tag, type, ranges', async (t) => {
  const { get } = serve('fields.tar.gz', {
    fields: [
      ['Content-Type', 'application/x-whatever'],
      ['Cache-Control', 'no-store'],
      ['Set-Cookie', 'a=b'],
      ['X-Powered-By', 'origin'],
    ],
    etag: '"its own"',
  });
  const miss = await get();
  const hit = await get();
  const id = await readFile(join(scene().daemon.cacheDir, '.package-cache/id'), 'utf8');
  const expected = [
    ['Content-Type', 'application/gzip'],
    ['Last-Modified', defaultLastModified],
    ['ETag', etag],
    ['Accept-Ranges', 'bytes'],
    ['Cache-Status', 'package-cache; fwd=uri-miss; stored'],
    ['Via', `1.1 ${id.trim()}`],
    ['Content-Length', '100000'],
    ['Date', miss.header('date') ?? ''],
    ['Connection', 'keep-alive'],
    ['Keep-Alive', 'timeout=75'],
  ];
  t.deepEqual(miss.fields.toSorted(), expected.toSorted() as [string, string][]);
  t.true(Math.abs(Date.parse(miss.header('date') ?? '') - Date.now()) < 60_000);
  const apart = ([name]: readonly [string, string]) => !/^(?:Cache-Status|Date)$/.test(name);
  t.deepEqual(hit.fields.filter(apart), miss.fields.filter(apart));
});

test('the tag is "<mtime hex>-<size hex>", as nginx mirrors have it', async (t) => {
  const { get } = serve('tag.tar.gz', {
    body: 'x'.repeat(0xabc),
    lastModified: 'Thu, 01 Jan 1970 00:00:16 GMT',
  });
  t.is((await get()).header('etag'), '"10-abc"');
  t.is((await get()).header('etag'), '"10-abc"');
});

const types: readonly (readonly [name: string, type: string])[] = [
  ['type.tar.xz', 'application/x-xz'],
  ['type.deb', 'application/vnd.debian.binary-package'],
  ['type.tar.gz.asc', 'application/pgp-signature'],
  ['type.txt', 'text/plain; charset=utf-8'],
  ['TYPE.ZIP', 'application/zip'],
  ['type.of-nobody', 'application/octet-stream'],
  ['type', 'application/octet-stream'],
];

for (const [name, type] of types) {
  test(`the type of ${name} is ${type}, whatever the origin says`, async (t) => {
    const { get, head } = serve(name, { fields: [['Content-Type', 'image/png']] });
    t.is((await head()).header('content-type'), type);
    t.is((await get()).header('content-type'), type);
    t.is((await get()).header('content-type'), type);
  });
}

test('a date the origin does not send is the time of the fetch, and stays', async (t) => {
  const { get, stored } = serve('undated.tar.gz', { lastModified: false });
  const before = Math.floor(Date.now() / 1000) * 1000;
  const miss = await get();
  const date = Date.parse(miss.header('last-modified') ?? '');
  t.true(date >= before && date <= Date.now());
  await stored();
  const hit = await get();
  t.is(hit.header('last-modified'), miss.header('last-modified'));
  t.is(hit.header('etag'), miss.header('etag'));
});

test('a length nobody told is known at the hit, and with it the tag', async (t) => {
  const { get, body, stored } = serve('chunked.tar.gz', {
    length: 'chunked',
    chunks: { size: 30_000 },
  });
  const miss = await get();
  t.true(miss.body.equals(body));
  t.is(miss.ended, 'complete');
  t.is(miss.header('last-modified'), defaultLastModified);
  t.is(miss.header('cache-status'), 'package-cache; fwd=uri-miss; stored');
  await stored();
  const hit = await get();
  t.is(hit.header('content-length'), '100000');
  t.is(hit.header('etag'), etag);
  t.is(hit.header('accept-ranges'), 'bytes');
});

test('an immutable name is not checked again, whatever the request says', async (t) => {
  const { get, asked } = serve('immutable.tar.gz');
  await get();
  const wishes = [
    'no-cache',
    'max-age=0',
    'no-store',
    'no-cache="x"',
    'max-age=0, must-revalidate',
  ];
  for (const wish of wishes) {
    const hit = await get([
      ['Cache-Control', wish],
      ['Pragma', 'no-cache'],
    ]);
    t.is(hit.header('cache-status'), 'package-cache; hit', wish);
  }
  t.is(asked().length, 1);
});

test('only-if-cached gets what is stored, else 504 and no source is asked', async (t) => {
  const { get, head, asked, body } = serve('only.tar.gz');
  const only: [string, string][] = [['Cache-Control', 'only-if-cached']];
  for (const answer of [await get(only), await head(only)]) {
    t.is(answer.status, 504);
    t.is(answer.header('cache-status'), 'package-cache; detail=not-stored');
  }
  t.regex(String((await get(only)).body), /distfiles\/aa\/only\.tar\.gz.*not stored/);
  t.is(asked().length, 0);
  await get();
  const hit = await get(only);
  t.true(hit.body.equals(body));
  t.is(hit.header('cache-status'), 'package-cache; hit');
});
