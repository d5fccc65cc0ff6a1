import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Answer } from '../helpers/client.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';
import { framedLies, type Lie, type Outcome, truth } from './lies.ts';
import { wireLies } from './wire-lies.ts';

const scene = share(test, async (t) => {
  const origin = await startOrigin(t);
  const conf = { MAX_FILLS: '1000', NEGATIVE_TTL: '0' };
  const daemon = await startDaemon(t, { sources: [origin.url], conf });
  return { origin, daemon };
});

const promises: Readonly<Record<Outcome, string>> = {
  refused: 'is an error, and nothing is stored',
  missing: 'is a 404, and nothing is stored',
  broken: 'never ends cleanly, and nothing is stored',
  exact: 'is delivered byte for byte and stored',
  streamed: 'is delivered byte for byte, but not stored',
};

function checkAnswer(t: ExecutionContext, answer: Answer, { outcome, reason = /./ }: Lie): void {
  switch (outcome) {
    case 'refused':
    case 'missing':
      t.is(answer.status, outcome === 'missing' ? 404 : 502);
      t.regex(String(answer.body), reason);
      return;
    case 'broken':
      t.true(answer.status === 502 || answer.ended !== 'complete', `${answer.status}`);
      return;
    default:
      t.like(answer, { status: 200, ended: 'complete', surplus: 0 });
      t.true(answer.body.equals(truth));
      t.is(answer.header('content-encoding'), undefined);
  }
}

[...framedLies, ...wireLies].forEach((lie, at) => {
  test(`${lie.what} ${promises[lie.outcome]}`, async (t) => {
    const { origin, daemon } = scene();
    const path = `distfiles/aa/${at}-${lie.name ?? 'x.tar.xz'}`;
    origin.serve(path, lie.answer);
    const first = await daemon.get(`/${path}`);
    checkAnswer(t, first, lie);
    origin.serve(path, truth);
    const second = await daemon.get(`/${path}`);
    t.like(second, { status: 200, ended: 'complete' });
    t.true(second.body.equals(truth));
    t.is(second.header('cache-status')?.includes('hit'), lie.outcome === 'exact');
    await daemon.logged(new RegExp(`stored "${path}"`));
    t.true((await readFile(join(daemon.cacheDir, path))).equals(truth));
  });
});

test('what begins as HTML under a name that is no archive’s is taken for what it is', async (t) => {
  const { origin, daemon } = scene();
  const path = 'distfiles/aa/page.patch';
  origin.serve(path, '<html></html>');
  t.is(String((await daemon.get(`/${path}`)).body), '<html></html>');
  await daemon.logged(new RegExp(`stored "${path}"`));
});
