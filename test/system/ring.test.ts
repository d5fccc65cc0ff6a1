import test from 'ava';
import { startDaemon } from '../helpers/daemon.ts';

test('two caches that name each other as their source answer at once, and say why', async (t) => {
  const first = await startDaemon(t, { sources: ['http://127.0.0.1:9/'] });
  const second = await startDaemon(t, { sources: [first.url] });
  await first.configure({ SOURCES: second.url });
  first.signal('SIGHUP');
  await first.logged(/reloaded: SOURCES/);
  for (const target of ['/distfiles/ab/a-1.0.tar.xz', '/distfiles/', '/index?a=b']) {
    const answer = await first.get(target);
    t.is(answer.status, 502, target);
    t.regex(answer.body.toString(), /status 502/);
    const direct = await second.get(target);
    t.is(direct.status, 502, target);
    t.regex(direct.body.toString(), /status 50[28]/);
  }
});
