import { access } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { connection } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { type Answer, bodyOf, defaultLastModified, gate, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const scene = share(test, async (t) => {
  const origin = await startOrigin(t);
  return { origin, daemon: await startDaemon(t, { sources: [origin.url] }) };
});

function serve(name: string, answer: Answer = {}) {
  const { origin, daemon } = scene();
  const target = `/distfiles/aa/${name}`;
  origin.serve(target, { body: bodyOf(name, 100_000), ...answer });
  return {
    target,
    get: () => daemon.get(target),
    head: () => daemon.get(target, { method: 'HEAD' }),
    methods: () =>
      origin.requests.filter((asked) => asked.target === target).map(({ method }) => method),
    file: join(daemon.cacheDir, target),
  };
}

test('HEAD on a hit has the fields of GET and no body (RFC 9110 9.3.2)', async (t) => {
  const { get, head, methods } = serve('hit.tar.gz');
  await get();
  const answers = [await get(), await head()];
  const [fields, headFields] = answers.map((answer) =>
    answer.fields.filter(([name]) => name !== 'Date'),
  );
  t.deepEqual(headFields, fields);
  t.like(answers[1], { status: 200, surplus: 0 });
  t.deepEqual(methods(), ['GET']);
});

test('HEAD on a miss asks a source for the head, starts no fill and stores nothing', async (t) => {
  const { get, head, methods, file } = serve('miss.tar.gz');
  const answer = await head();
  t.like(answer, { status: 200, surplus: 0 });
  t.is(answer.header('content-length'), '100000');
  t.is(answer.header('last-modified'), defaultLastModified);
  t.is(answer.header('etag'), '"67748580-186a0"');
  t.is(answer.header('accept-ranges'), 'bytes');
  t.is(answer.header('content-type'), 'application/gzip');
  t.is(answer.header('cache-status'), 'package-cache; fwd=uri-miss');
  await head();
  t.deepEqual(methods(), ['HEAD', 'HEAD']);
  await t.throwsAsync(access(file), { code: 'ENOENT' });
  const miss = await get();
  t.is(miss.header('cache-status'), 'package-cache; fwd=uri-miss; stored');
});

test('HEAD on a miss of unknown length tells none, and no tag', async (t) => {
  const { head } = serve('chunked.tar.gz', { length: 'chunked' });
  const answer = await head();
  t.is(answer.status, 200);
  t.is(answer.header('content-length'), undefined);
  t.is(answer.header('etag'), undefined);
  t.is(answer.header('last-modified'), defaultLastModified);
});

test('HEAD during a fill is answered from it', async (t) => {
  const held = gate();
  const { get, head, methods } = serve('filling.tar.gz', { chunks: { gate: held, after: 1000 } });
  const filling = get();
  await held.reached;
  const answer = await head();
  t.is(answer.header('content-length'), '100000');
  t.is(answer.header('cache-status'), 'package-cache; fwd=uri-miss; stored; collapsed');
  held.open();
  await filling;
  t.deepEqual(methods(), ['GET']);
});

test('HEAD of what no source has is 404, and no body', async (t) => {
  const { daemon, origin } = scene();
  const answer = await daemon.get('/distfiles/aa/none.tar.gz', { method: 'HEAD' });
  t.like(answer, { status: 404, surplus: 0 });
  t.is(answer.body.length, 0);
  t.true(Number(answer.header('content-length')) > 0);
  await daemon.get('/distfiles/aa/none.tar.gz', { method: 'HEAD' });
  t.is((await daemon.get('/distfiles/aa/none.tar.gz')).status, 404);
  t.is(origin.count('/distfiles/aa/none.tar.gz'), 1);
});

test('HEAD behind which a GET is pipelined leaves no byte of its own in between', async (t) => {
  const { target, get } = serve('pipelined.tar.gz');
  const { body } = await get();
  const both = connection({ port: scene().daemon.port, t });
  const answers = await Promise.all([
    both.send({ target, method: 'HEAD' }),
    both.send({ target }),
    both.send({ target: '/.package-cache/none', method: 'HEAD' }),
    both.send({ target }),
  ]);
  t.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 404, 200],
  );
  t.true(answers[1]?.body.equals(body));
  t.true(answers[3]?.body.equals(body));
});
