import { readdir } from 'node:fs/promises';
import test from 'ava';
import { open } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { type Answer, bodyOf, gate, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const scene = share(test, async (t) => {
  const origin = await startOrigin(t);
  return { origin, daemon: await startDaemon(t, { sources: [origin.url] }) };
});

const page: Answer = {
  body: '<html>a listing</html>',
  etag: '"its own"',
  fields: [
    ['Content-Type', 'text/html; charset=latin1'],
    ['Set-Cookie', 'a=b'],
    ['Cache-Control', 'no-store'],
  ],
};

const targets: readonly (readonly [what: string, target: string])[] = [
  ['a query', '/passed/a.tar.gz?b=c'],
  ['an empty query', '/passed/a.tar.gz?'],
  ['a query on a name that is stored', '/distfiles/aa/stored.tar.gz?mirror'],
  ['a directory', '/passed/directory/'],
  ['the root', '/'],
  ['the root with a query', '/?a'],
];

for (const [what, target] of targets) {
  test(`${what} is passed on each time and never stored`, async (t) => {
    const { origin, daemon } = scene();
    origin.serve(target, page);
    origin.serve('/distfiles/aa/stored.tar.gz', 'stored');
    await daemon.get('/distfiles/aa/stored.tar.gz');
    for (const time of [1, 2]) {
      const answer = await daemon.get(target);
      t.is(answer.status, 200);
      t.is(String(answer.body), '<html>a listing</html>');
      t.is(answer.header('cache-status'), 'package-cache; fwd=bypass');
      t.is(origin.requests.filter((asked) => asked.target === target).length, time);
    }
    const names = await readdir(daemon.cacheDir, { recursive: true });
    t.false(names.some((name) => name.startsWith('passed')));
    t.is(String((await daemon.get('/distfiles/aa/stored.tar.gz')).body), 'stored');
  });
}

test("a passed answer has the origin's type, date, tag and length, and no other field of it", async (t) => {
  const { origin, daemon } = scene();
  origin.serve('/fields/', { ...page, lastModified: 'Thu, 01 Jan 1970 00:00:16 GMT' });
  const { fields, header } = await daemon.get('/fields/');
  t.is(header('content-type'), 'text/html; charset=latin1');
  t.is(header('etag'), '"its own"');
  t.is(header('last-modified'), 'Thu, 01 Jan 1970 00:00:16 GMT');
  t.is(header('content-length'), '22');
  const names = fields.map(([name]) => name.toLowerCase()).toSorted();
  t.deepEqual(names, [
    'cache-status',
    'connection',
    'content-length',
    'content-type',
    'date',
    'etag',
    'keep-alive',
    'last-modified',
    'via',
  ]);
});

test('HEAD of what is passed asks with HEAD', async (t) => {
  const { origin, daemon } = scene();
  origin.serve('/head/', page);
  const answer = await daemon.get('/head/', { method: 'HEAD' });
  t.like(answer, { status: 200, surplus: 0 });
  t.is(answer.header('content-length'), '22');
  t.deepEqual(
    origin.requests.filter(({ target }) => target === '/head/').map(({ method }) => method),
    ['HEAD'],
  );
});

test('a passed body comes as it lands, whatever its framing', async (t) => {
  const { origin, daemon } = scene();
  const body = bodyOf('passed', 300_000);
  for (const length of ['honest', 'chunked', 'none'] as const) {
    const held = gate();
    const target = `/lands-${length}/`;
    origin.serve(target, { body, length, chunks: { gate: held, after: 100_000 } });
    const stream = open({ port: daemon.port, target, t });
    t.true((await stream.read(100_000)).equals(body.subarray(0, 100_000)), length);
    held.open();
    const { body: rest, ended } = await stream.rest();
    t.is(ended, 'complete', length);
    t.true(rest.equals(body.subarray(100_000)), length);
  }
});

const breaks: readonly (readonly [how: string, answer: Answer])[] = [
  ['is cut', { cutAfter: 1000 }],
  ['is reset', { resetAfter: 1000 }],
  ['lacks its last chunk', { dropChunkEnd: true }],
];

for (const [how, answer] of breaks) {
  test(`a passed body that ${how} ends in a reset, so that nobody takes it for whole`, async (t) => {
    const { origin, daemon } = scene();
    const target = `/break/${how.replaceAll(' ', '-')}/`;
    origin.serve(target, { body: bodyOf(how, 5000), ...answer });
    t.is((await daemon.get(target)).ended, 'reset');
  });
}

test('a client that leaves ends what is passed to it', async (t) => {
  const { origin, daemon } = scene();
  origin.serve('/left/', { generate: { seed: 'left', size: 100_000_000 } });
  const stream = open({ port: daemon.port, target: '/left/', t });
  await stream.read(1000);
  stream.destroy();
  const asked = await origin.arrived('/left/');
  await asked.gone;
  t.true(asked.sent < 100_000_000);
});

test('a listing that no source has is 404 and asked for again', async (t) => {
  const { origin, daemon } = scene();
  for (const time of [1, 2]) {
    const answer = await daemon.get('/none/?a');
    t.is(answer.status, 404);
    t.regex(String(answer.body), new RegExp(`"none/\\?a".*${origin.url}: status 404`));
    t.is(origin.requests.filter(({ target }) => target === '/none/?a').length, time);
  }
});

test('only-if-cached is 504 for what is never stored (RFC 9111 5.2.1.7)', async (t) => {
  const { origin, daemon } = scene();
  origin.serve('/only/', page);
  const answer = await daemon.get('/only/', { fields: [['Cache-Control', 'only-if-cached']] });
  t.is(answer.status, 504);
  t.is(origin.count('/only/'), 0);
});

test('a range of what is passed is the whole (RFC 9110 14.2)', async (t) => {
  const { origin, daemon } = scene();
  origin.serve('/range/', page);
  const answer = await daemon.get('/range/', { fields: [['Range', 'bytes=0-3']] });
  t.is(answer.status, 200);
  t.is(String(answer.body), '<html>a listing</html>');
  t.is(answer.header('accept-ranges'), undefined);
});
