import test from 'ava';
import { startDaemon } from '../helpers/daemon.ts';
import { hasIPv6 } from '../helpers/ipv6.ts';
import { bodyOf, startOrigin } from '../helpers/origin.ts';

const target = '/distfiles/aa/package.tar.xz';
const body = bodyOf('package', 100_000);

test('a source may be an IPv6 address, and its clients name it in every spelling', async (t) => {
  if (!hasIPv6(t)) return;
  const { port } = await startOrigin(t, { address: '::1', files: { [target]: body } });
  const daemon = await startDaemon(t, { sources: [`http://[::1]:${port}/`] });
  t.true((await daemon.get(target)).body.equals(body));
  await daemon.logged(/stored/);
  const answer = await daemon.get(`http://[0:0::0:1]:${port}${target}`);
  t.is(answer.header('cache-status'), 'package-cache; hit');
});
