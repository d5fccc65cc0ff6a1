import { createServer } from 'node:net';
import test from 'ava';
import { bodyOf, type Script, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { listen } from '../helpers/tcp.ts';
import { openRepositories } from './repositories.ts';

const body = bodyOf('package', 50_000);
const name = 'x-1.tar.xz';
const path = `distfiles/aa/${name}`;
const two = ['origin', 'origin'] as const;

const scene = share(test, async (t) => {
  const guarded = await startOrigin(t);
  const plain = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  const plainPort = await listen(plain);
  t.teardown(() => plain.close());
  const repositories = await openRepositories(t, {
    relative: two,
    other: two,
    chain: two,
    too_long: two,
    loop: two,
    secure: two,
    strange: ['origin', 'origin', 'origin', 'origin', 'origin', 'origin'],
    head: two,
    missing: two,
    coded: ['origin'],
    lent: [`http://user:secret@127.0.0.1:${guarded.port}/`, ...two],
  } as const);
  return { ...repositories, guarded, plainPort };
});

function to(location: string, status = 302): Script {
  return { status, fields: [['Location', location]] };
}

for (const [own, what, location, target] of [
  ['a', 'a name beside it', `y-${name}`, `/distfiles/aa/y-${name}`],
  ['b', 'a path', `/pool/${name}`, `/pool/${name}`],
  ['c', 'a climbing path', `../../up/${name}`, `/up/${name}`],
  ['d', 'a query', '?mirror=1', '/distfiles/aa/d?mirror=1'],
  ['e', 'its own spelling', '/a%2Bb+c%252F~d', '/a%2Bb+c%252F~d'],
  ['f', 'a fragment that stays here', `/f/${name}#part`, `/f/${name}`],
  ['g', 'a name that is not ASCII', '/naïve', '/na%C3%AFve'],
  ['h', 'a host without a scheme', '//127.0.0.1:PORT/host', '/host'],
] as const) {
  test(`a redirect to ${what} is followed (RFC 9110 10.2.2)`, async (t) => {
    const { origins, get } = scene().of.relative;
    const [origin] = origins;
    origin.serve(`distfiles/aa/${own}`, to(location.replace('PORT', String(origin.port))));
    origin.serve(target, body);
    const answer = await get(`distfiles/aa/${own}`);
    t.true(answer.body.equals(body));
    t.is(origin.requests.filter((request) => request.target === target).length, 1);
  });
}

for (const status of [301, 302, 303, 307, 308]) {
  test(`a redirect of status ${status} to another host is followed, and stored here`, async (t) => {
    const { origins, get } = scene().of.other;
    const own = `${path}.${status}`;
    origins[0].serve(own, to(`${origins[1].url}mirror/${status}`, status));
    origins[1].serve(`mirror/${status}`, body);
    const answer = await get(own);
    t.is(answer.status, 200);
    t.true(answer.body.equals(body));
    await scene().daemon.logged(new RegExp(`stored "other/${own}"`));
    t.is((await get(own)).header('cache-status'), 'package-cache; hit');
  });
}

test('five redirects in a row are followed', async (t) => {
  const { origins, get } = scene().of.chain;
  origins[0].serve(path, to('/hop/1'));
  for (let hop = 1; hop < 5; hop += 1) origins[0].serve(`/hop/${hop}`, to(`/hop/${hop + 1}`));
  origins[0].serve('/hop/5', body);
  t.true((await get(path)).body.equals(body));
});

test('six redirects in a row are too many, and the next source is asked', async (t) => {
  const { origins, get } = scene().of.too_long;
  origins[0].serve(path, to('/hop/1'));
  for (let hop = 1; hop < 6; hop += 1) origins[0].serve(`/hop/${hop}`, to(`/hop/${hop + 1}`));
  origins[0].serve('/hop/6', body);
  origins[1].serve(path, body);
  t.is((await get(path)).status, 200);
  t.is(origins[0].count(), 6);
  t.is(origins[1].count(), 1);
});

test('a redirect that leads back to itself ends after five', async (t) => {
  const { daemon, of } = scene();
  const { origins, get } = of.loop;
  origins[0].serve(path, to(`/${path}`));
  t.is((await get(path)).status, 404);
  t.is(origins[0].count(), 6);
  await daemon.logged(/set aside.*it redirects more than 5 times/);
});

test('a redirect to https that cannot be had sends the request to the next source', async (t) => {
  const { daemon, of, plainPort } = scene();
  const { origins, get } = of.secure;
  origins[0].serve(path, to(`https://127.0.0.1:${plainPort}/${path}`));
  origins[1].serve(path, body);
  t.true((await get(path)).body.equals(body));
  const line = await daemon.logged(new RegExp(`source ${origins[0].url} is set aside`));
  t.regex(line, /SSL|TLS|packet|EPROTO/i);
});

test('a redirect to what is no http URL is not followed', async (t) => {
  const { origins, get } = scene().of.strange;
  const strange = [
    'ftp://127.0.0.1/x',
    'file:///etc/passwd',
    'javascript:1',
    'http://',
    'http://[/',
  ];
  strange.forEach((location, at) => {
    origins[at]?.serve(path, to(location));
  });
  origins[strange.length]?.serve(path, body);
  t.true((await get(path)).body.equals(body));
});

test('a HEAD stays a HEAD behind a redirect', async (t) => {
  const { origins, get } = scene().of.head;
  origins[0].serve(path, to('/there', 303));
  origins[0].serve('/there', body);
  const answer = await get(path, { method: 'HEAD' });
  t.is(answer.header('content-length'), String(body.length));
  t.deepEqual(
    origins[0].requests.map(({ method }) => method),
    ['HEAD', 'HEAD'],
  );
});

test('404 behind a redirect is a 404', async (t) => {
  const { origins, get } = scene().of.missing;
  for (const origin of origins) origin.serve(path, to('/gone'));
  t.is((await get(path)).status, 404);
});

test('what a redirect leads to is judged as the package it should be', async (t) => {
  const { origins, get } = scene().of.coded;
  origins[0].serve(path, to('/login'));
  origins[0].serve('/login', { body: '<html>', fields: [['Content-Type', 'text/html']] });
  const answer = await get(path);
  t.is(answer.status, 502);
  t.regex(String(answer.body), /HTML page/);
});

test('credentials go to their own source and to nobody it redirects to', async (t) => {
  const { of, guarded } = scene();
  const { origins, get } = of.lent;
  const secret = `Basic ${Buffer.from('user:secret').toString('base64')}`;
  guarded.serve(path, to('/moved'));
  guarded.serve('/moved', to(`${origins[0].url}away`));
  origins[0].serve('/away', to(`${guarded.url}home`));
  guarded.serve('/home', body);
  t.true((await get(path)).body.equals(body));
  t.is((await guarded.arrived(path)).headerOf('authorization'), secret);
  t.is((await guarded.arrived('/moved')).headerOf('authorization'), secret);
  t.is((await origins[0].arrived('/away')).headerOf('authorization'), undefined);
  t.is((await guarded.arrived('/home')).headerOf('authorization'), undefined);
});
