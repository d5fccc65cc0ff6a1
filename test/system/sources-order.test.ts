import test from 'ava';
import { type Answer, bodyOf, refusedPort } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { openRepositories } from './repositories.ts';

const body = bodyOf('package', 70_000);
const path = 'distfiles/aa/x-1.tar.xz';
const two = ['origin', 'origin'] as const;

/** What the first source answers when it cannot give the package. */
const failures: Readonly<Record<string, Answer>> = {
  status_400: { status: 400 },
  status_403: { status: 403 },
  status_404: { status: 404 },
  status_410: { status: 410 },
  status_429: { status: 429 },
  status_500: { status: 500 },
  status_502: { status: 502 },
  status_503: { status: 503 },
  status_504: { status: 504 },
  html: { body: '<html>', fields: [['Content-Type', 'text/html']] },
  empty: { body: '' },
  coded: { body, encoding: 'br' },
  garbage: { raw: 'hello' },
  nothing: { raw: '' },
  half_a_head: { raw: 'HTTP/1.1 200 OK\r\nContent-' },
};

const scene = share(test, async (t) => {
  const dead = `http://127.0.0.1:${await refusedPort(t)}/` as const;
  return openRepositories(t, {
    order: two,
    below: two,
    refused: [dead, ...two],
    unknown: ['http://no-such-host.invalid/', ...two],
    none: [dead, 'http://no-such-host.invalid/', 'origin'],
    none_head: [dead, ...two],
    head: two,
    head_over: two,
    both: two,
    ...Object.fromEntries(Object.keys(failures).map((name) => [name, two])),
  } as const);
});

test('the first source is asked, and the second one is not', async (t) => {
  const { origins, get } = scene().of.order;
  for (const origin of origins) origin.serve(path, body);
  const answer = await get(path);
  t.true(answer.body.equals(body));
  t.is(origins[0].count(), 1);
  t.is(origins[1].count(), 0);
});

test('a source is asked for the path below its own base, spelt as the client spelt it', async (t) => {
  const { origins, get } = scene().of.below;
  const spelt = 'distfiles/8c/github.com%252F%21burnt%21sushi+x~%7E%5b1%5D.mod';
  origins[0].serve(spelt, body);
  t.is((await get(spelt)).status, 200);
  t.deepEqual(
    origins[0].requests.map(({ target }) => target),
    [`/${spelt}`],
  );
});

for (const [name, what] of [
  ['refused', 'refuses connections'],
  ['unknown', 'has a name that no name server knows'],
] as const) {
  test(`the client notices nothing when the first source ${what}`, async (t) => {
    const { origins, get } = scene().of[name];
    origins[0].serve(path, body);
    const answer = await get(path);
    t.like(answer, { status: 200, ended: 'complete' });
    t.true(answer.body.equals(body));
    t.is(answer.header('cache-status'), 'package-cache; fwd=uri-miss; stored');
  });
}

for (const [name, failure] of Object.entries(failures)) {
  test(`the client notices nothing when the first source has ${name} for an answer`, async (t) => {
    const { origins, get } = scene().of[name as 'order'];
    origins[0].serve(path, failure);
    origins[1].serve(path, body);
    const answer = await get(path);
    t.like(answer, { status: 200, ended: 'complete' });
    t.true(answer.body.equals(body));
    t.is(origins[0].count(), 1);
    await scene().daemon.logged(new RegExp(`stored "${name}/`));
    t.is((await get(path)).header('cache-status'), 'package-cache; hit');
  });
}

test('when no source can deliver, the client is told what each of them said', async (t) => {
  const { origins, get } = scene().of.none;
  origins[0].serve(path, { status: 503 });
  const answer = await get(path);
  t.is(answer.status, 502);
  t.is(answer.header('content-type'), 'text/plain; charset=utf-8');
  const text = String(answer.body);
  t.regex(text, /^Cannot fetch "none\/distfiles\/aa\/x-1\.tar\.xz": no source could deliver it/);
  t.regex(text, /http:\/\/127\.0\.0\.1:\d+\/: [^;]*ECONNREFUSED/);
  t.regex(text, /http:\/\/no-such-host\.invalid\/: [^;]*(ENOTFOUND|EAI_AGAIN)/);
  t.true(text.includes(`${origins[0].url}: status 503`));
});

test('a HEAD that no source can answer is 502 too, without a body', async (t) => {
  const { origins, get } = scene().of.none_head;
  for (const origin of origins) origin.serve(path, { status: 500 });
  const answer = await get(path, { method: 'HEAD' });
  t.like(answer, { status: 502, surplus: 0 });
});

test('a HEAD asks a source with HEAD and starts no fill', async (t) => {
  const { origins, get } = scene().of.head;
  origins[0].serve(path, body);
  const answer = await get(path, { method: 'HEAD' });
  t.is(answer.status, 200);
  t.is(answer.header('content-length'), String(body.length));
  t.is(answer.header('last-modified'), 'Wed, 01 Jan 2025 00:00:00 GMT');
  t.is(answer.header('etag'), `"67748580-${body.length.toString(16)}"`);
  t.is(answer.header('accept-ranges'), 'bytes');
  t.is(answer.header('cache-status'), 'package-cache; fwd=uri-miss');
  t.deepEqual(
    origins[0].requests.map(({ method }) => method),
    ['HEAD'],
  );
  t.is((await get(path)).header('cache-status'), 'package-cache; fwd=uri-miss; stored');
});

test('a HEAD goes on to the next source as a GET does', async (t) => {
  const { origins, get } = scene().of.head_over;
  origins[0].serve(path, { status: 500 });
  origins[1].serve(path, body);
  t.is((await get(path, { method: 'HEAD' })).status, 200);
});

test('the sources see our own fields and none of the client’s', async (t) => {
  const { origins, get } = scene().of.both;
  origins[0].serve(path, body);
  await get(path, {
    fields: [
      ['User-Agent', 'Wget/1'],
      ['Cookie', 'secret=1'],
      ['Authorization', 'Basic eDp5'],
      ['Accept-Encoding', 'gzip, br'],
      ['Range', 'bytes=0-9'],
      ['If-None-Match', '"x"'],
      ['X-Forwarded-For', '10.0.0.1'],
    ],
  });
  const sent = Object.fromEntries(
    (origins[0].requests[0]?.fields ?? []).map(([name, value]) => [name.toLowerCase(), value]),
  );
  t.deepEqual(Object.keys(sent).sort(), [
    'accept',
    'accept-encoding',
    'cdn-loop',
    'connection',
    'host',
    'user-agent',
    'via',
  ]);
  t.like(sent, { accept: '*/*', 'accept-encoding': 'identity' });
  t.regex(sent['user-agent'] ?? '', /^package-cache\/\d/);
  t.is(sent.via, `1.1 ${sent['cdn-loop']}`);
});
