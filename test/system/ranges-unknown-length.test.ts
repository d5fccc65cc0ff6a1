import test, { type ExecutionContext } from 'ava';
import { open } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import type { Field } from '../helpers/fields.ts';
import { type Answer, gate, startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { partsOf } from './parts.ts';
import { etag, file, modified } from './states.ts';

const scene = share(test, async (t) => {
  const origin = await startOrigin(t);
  const daemon = await startDaemon(t, { sources: [origin.url], conf: { MAX_FILLS: '1000' } });
  return { origin, daemon };
});

/** Asks for a chunked file of which half has come, and holds the other half back. */
function askHalfway(
  t: ExecutionContext,
  name: string,
  asked: { method?: string; fields: Field[]; answer?: Answer },
) {
  const { origin, daemon } = scene();
  const held = gate();
  const target = `/distfiles/aa/${name}`;
  origin.serve(target, {
    body: file,
    length: 'chunked',
    lastModified: new Date(modified * 1000),
    chunks: { gate: held, after: 500 },
    ...asked.answer,
  });
  const first = open({ port: daemon.port, target, t });
  return first.read(500).then(() => ({
    held,
    first,
    stream: open({ ...asked, port: daemon.port, target, t }),
  }));
}

async function askToTheEnd(t: ExecutionContext, name: string, fields: Field[]) {
  const { held, stream } = await askHalfway(t, name, { fields });
  held.open();
  return stream.rest();
}

for (const [range, expected] of [
  ['bytes=100-199', '100-199'],
  ['bytes=600-699', '600-699'],
  ['bytes=900-', '900-999'],
  ['bytes=-10', '990-999'],
  ['bytes=0-5000', '0-999'],
] as const) {
  test(`${range} waits for the end of a short body without a length`, async (t) => {
    const answer = await askToTheEnd(t, `part-${expected}`, [['Range', range]]);
    t.like(answer, { status: 206, ended: 'complete' });
    t.is(answer.header('content-range'), `bytes ${expected}/1000`);
    const [start, last] = expected.split('-').map(Number);
    t.true(answer.body.equals(file.subarray(start, (last ?? 0) + 1)));
  });
}

test('several ranges wait for the end of a short body without a length', async (t) => {
  const answer = await askToTheEnd(t, 'parts', [['Range', 'bytes=0-9,-10']]);
  t.deepEqual(
    partsOf(answer).map(({ range }) => range),
    ['bytes 0-9/1000', 'bytes 990-999/1000'],
  );
});

test('416 tells the true length of a body that came without one (RFC 9110 15.5.17)', async (t) => {
  const answer = await askToTheEnd(t, 'unsatisfiable', [['Range', 'bytes=1000-']]);
  t.is(answer.status, 416);
  t.is(answer.header('content-range'), 'bytes */1000');
});

for (const [status, name, ...fields] of [
  [304, 'none-match', ['If-None-Match', etag]],
  [200, 'other', ['If-None-Match', '"other"']],
  [200, 'match', ['If-Match', etag]],
  [412, 'no-match', ['If-Match', '"other"']],
  [206, 'if-range', ['If-Range', etag], ['Range', 'bytes=0-1']],
  [200, 'if-range-other', ['If-Range', '"other"'], ['Range', 'bytes=0-1']],
] as [number, string, ...Field[]][]) {
  test(`our entity tag is known at the end of a body without a length: ${name}`, async (t) => {
    const answer = await askToTheEnd(t, name, fields);
    t.is(answer.status, status);
    t.is(answer.header('etag'), etag);
  });
}

test('a range of a long body without a length is answered with the whole after 3 s', async (t) => {
  const fields: Field[] = [['Range', 'bytes=100-199']];
  const started = performance.now();
  const { held, stream } = await askHalfway(t, 'long', { fields });
  const head = await stream.head;
  t.is(head.status, 200);
  t.true(head.headAt - started > 2900);
  held.open();
  const answer = await stream.rest();
  t.is(answer.ended, 'complete');
  t.true(answer.body.equals(file));
});

test('whoever asks for no range does not wait for the length', async (t) => {
  const { held, first, stream } = await askHalfway(t, 'plain', { fields: [] });
  t.is((await stream.head).header('content-length'), undefined);
  held.open();
  t.true((await stream.rest()).body.equals(file));
  t.is((await first.rest()).ended, 'complete');
});

test('a HEAD ignores Range and does not wait for the length (RFC 9110 14.2)', async (t) => {
  const fields: Field[] = [['Range', 'bytes=0-9']];
  const { held, stream } = await askHalfway(t, 'head', { method: 'HEAD', fields });
  t.is((await stream.head).status, 200);
  held.open();
});

test('a body that breaks off before its length is known is an error for its ranges', async (t) => {
  const fields: Field[] = [['Range', 'bytes=100-199']];
  const answer = { cutAfter: 600 };
  const { held, first, stream } = await askHalfway(t, 'broken', { fields, answer });
  held.open();
  t.is((await stream.rest()).status, 502);
  t.not((await first.rest()).ended, 'complete');
});

test('a body that breaks off after its ranges gave up waiting resets them all', async (t) => {
  const fields: Field[] = [['Range', 'bytes=100-199']];
  const answer = { cutAfter: 600 };
  const { held, stream } = await askHalfway(t, 'late', { fields, answer });
  await stream.head;
  held.open();
  t.is((await stream.rest()).ended, 'reset');
});
