import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { open } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { bodyOf, type Field, gate, type OriginRequest, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const scene = share(test, async (t) => {
  const origin = await startOrigin(t, { files: { '/*': 'a page' } });
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const id = await readFile(join(daemon.cacheDir, '.package-cache/id'), 'utf8');
  return { origin, daemon, id: id.trim() };
});

const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
const { version } = JSON.parse(manifest) as { version: string };

/** All that a source is ever sent with an unconditional request, in its order on the wire. */
function ownFields(method: string): Field[] {
  const { origin, id } = scene();
  return [
    ['host', `127.0.0.1:${origin.port}`],
    // undici cannot tell where the answer to a HEAD ends if a source sends a body with it.
    ['connection', method === 'HEAD' ? 'close' : 'keep-alive'],
    ['user-agent', `package-cache/${version}`],
    ['via', `1.1 ${id}`],
    ['cdn-loop', id],
    ['accept', '*/*'],
    ['accept-encoding', 'identity'],
  ];
}

const clientFields: readonly Field[] = [
  ['Host', 'client.example'],
  ['User-Agent', 'Wget/1'],
  ['Accept', 'text/html'],
  ['Accept-Encoding', 'gzip, br'],
  ['Accept-Language', 'de'],
  ['Authorization', 'Basic eDp5'],
  ['Cache-Control', 'no-cache'],
  ['CDN-Loop', 'other-cdn'],
  ['Connection', 'X-Secret, keep-alive'],
  ['Content-Length', '4'],
  ['Cookie', 'secret=1'],
  ['Expect', '100-continue'],
  ['Forwarded', 'for=10.0.0.1'],
  ['If-Match', '"x"'],
  ['If-Modified-Since', 'Wed, 01 Jan 2025 00:00:00 GMT'],
  ['If-None-Match', '"x"'],
  ['If-Range', '"x"'],
  ['If-Unmodified-Since', 'Wed, 01 Jan 2020 00:00:00 GMT'],
  ['Max-Forwards', '0'],
  ['Origin', 'http://evil.example'],
  ['Pragma', 'no-cache'],
  ['Proxy-Authorization', 'Basic eDp5'],
  ['Range', 'bytes=1-2'],
  ['Referer', 'http://evil.example/'],
  ['TE', 'trailers'],
  ['Trailer', 'X-Secret'],
  ['Via', '1.1 other-proxy'],
  ['X-Forwarded-For', '10.0.0.1'],
  ['X-Secret', 'secret'],
];

const cases: readonly (readonly [what: string, target: string, method: string])[] = [
  ['a miss', '/distfiles/aa/fields.tar.gz', 'GET'],
  ['a HEAD', '/distfiles/aa/head.tar.gz', 'HEAD'],
  ['a query', '/fields?a=b', 'GET'],
  ['a directory', '/fields/', 'GET'],
  ['a HEAD of a directory', '/head/', 'HEAD'],
  ['a mutable name', '/fields/Packages.gz', 'GET'],
];

for (const [what, target, method] of cases) {
  test(`${what} is asked for with our own fields and none of the client's`, async (t) => {
    const { origin, daemon } = scene();
    await daemon.get(target, { method, fields: clientFields, payload: 'body' });
    const asked = origin.requests.filter((request) => request.target === target);
    t.deepEqual(
      asked.map((request) => [request.method, request.fields]),
      [[method, ownFields(method)]],
    );
  });
}

test('a client that would rather speak another protocol gets its file, and no source hears of it', async (t) => {
  const { origin, daemon } = scene();
  const target = '/fields?upgrade';
  const fields: Field[] = [
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
  ];
  await daemon.get(target, { fields });
  const asked = origin.requests.filter((request) => request.target === target);
  t.deepEqual(
    asked.map((request) => request.fields),
    [ownFields('GET')],
  );
});

test('a kept connection keeps nothing of the request before, a Range least of all', async (t) => {
  const origin = await startOrigin(t);
  const daemon = await startDaemon(t, { sources: [origin.url] });
  const get = async (name: string, fields: Field[]): Promise<OriginRequest | undefined> => {
    const body = bodyOf(name, 5000);
    origin.serve(`/distfiles/aa/${name}`, body);
    const answer = await daemon.get(`/distfiles/aa/${name}`, { fields });
    const whole = fields.length === 0;
    t.is(answer.status, whole ? 200 : 206);
    t.true(answer.body.equals(whole ? body : body.subarray(10, 20)), name);
    return origin.requests.at(-1);
  };
  const ranged = await get('ranged.tar.gz', [['Range', 'bytes=10-19']]);
  const whole = await get('whole.tar.gz', []);
  t.is(origin.connections, 1);
  for (const asked of [ranged, whole]) {
    t.is(asked?.headerOf('range'), undefined);
    t.is(asked?.fields.length, 7);
  }
});

test('the path goes out in the spelling of the client that asked first', async (t) => {
  const { origin, daemon } = scene();
  const first = '/sp%65lt/a+b%2B~%7e.tar.gz';
  const other = '/spelt/a+b+~~.tar.gz';
  await daemon.get(first);
  t.is((await daemon.get(other)).header('cache-status'), 'package-cache; hit');
  t.deepEqual(
    origin.requests.map(({ target }) => target).filter((target) => /sp(?:e|%65)lt/.test(target)),
    [first],
  );
});

test('a chain of caches is welcome, and each one says what it did', async (t) => {
  const { origin, daemon: inner } = scene();
  const outer = await startDaemon(t, { sources: [inner.url] });
  const target = '/distfiles/aa/chain.tar.gz';
  origin.serve(target, 'a package');
  const answer = await outer.get(target);
  t.is(String(answer.body), 'a package');
  t.is(answer.header('cache-status'), 'package-cache; fwd=uri-miss; stored');
  t.is(origin.count(target), 1);
  const direct = await inner.get(target);
  t.is(direct.header('etag'), answer.header('etag'));
  t.is(direct.header('cache-status'), 'package-cache; hit');
});

test('a cache behind a cache joins a download of that one while it runs', async (t) => {
  const held = gate();
  const body = bodyOf('shared', 300_000);
  const path = '/distfiles/aa/shared.tar.gz';
  const origin = await startOrigin(t);
  origin.serve(path, { body, chunks: { gate: held, after: 100_000 } });
  const inner = await startDaemon(t, { sources: [origin.url] });
  const outer = await startDaemon(t, { sources: [inner.url] });
  const clients = [inner, outer].map(({ port }) => open({ port, target: path, t }));
  for (const client of clients) {
    t.true((await client.read(100_000)).equals(body.subarray(0, 100_000)));
  }
  held.open();
  for (const client of clients) {
    t.true((await client.rest()).body.equals(body.subarray(100_000)));
  }
  t.is(origin.count(path), 1);
});

test('a source that leads back to us is an error, not an endless way round', async (t) => {
  const origin = await startOrigin(t);
  const daemon = await startDaemon(t, { sources: [origin.url] });
  await daemon.configure({ SOURCES: daemon.url });
  const before = daemon.log().length;
  daemon.signal('SIGHUP');
  await daemon.logged(/reloaded/, before);
  for (const target of ['/distfiles/aa/loop.tar.gz', '/loop/', '/loop?a']) {
    const answer = await daemon.get(target);
    t.is(answer.status, 502, target);
    t.regex(String(answer.body), /status 508/, target);
  }
});
