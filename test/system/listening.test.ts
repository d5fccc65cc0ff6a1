import test from 'ava';
import { runBare } from '../helpers/bare-daemon.ts';
import { request } from '../helpers/client.ts';
import { type Daemon, startDaemon, tempDir } from '../helpers/daemon.ts';
import { hasIPv6 } from '../helpers/ipv6.ts';

const health = '/.package-cache/health';

async function statusAt({ port }: Daemon, address: string): Promise<number> {
  return (await request({ port, address, target: health, host: 'cache' })).status;
}

test('HOST="::" serves IPv4 as well, and knows an IPv4 client by its own address', async (t) => {
  if (!hasIPv6(t)) return;
  const daemon = await startDaemon(t, { conf: { HOST: '::', ALLOW: '127.0.0.1' } });
  t.is(await statusAt(daemon, '127.0.0.1'), 200);
  t.is(await statusAt(daemon, '::1'), 403);
});

test('HOST="0.0.0.0" serves IPv4 alone', async (t) => {
  if (!hasIPv6(t)) return;
  const daemon = await startDaemon(t, { conf: { HOST: '0.0.0.0' } });
  t.is(await statusAt(daemon, '127.0.0.2'), 200);
  await t.throwsAsync(statusAt(daemon, '::1'), { code: 'ECONNREFUSED' });
});

test('several addresses in HOST are all listened on, at one port, and no others', async (t) => {
  const daemon = await startDaemon(t, { conf: { HOST: '127.0.0.1 127.0.0.3' } });
  for (const address of ['127.0.0.1', '127.0.0.3']) {
    t.is(await statusAt(daemon, address), 200);
    await daemon.logged(new RegExp(`listening on http://${address}:${daemon.port}/$`));
  }
  await t.throwsAsync(statusAt(daemon, '127.0.0.2'), { code: 'ECONNREFUSED' });
});

test('an address that cannot be had keeps the daemon from listening on the others', async (t) => {
  const cacheDir = await tempDir(t);
  const args = ['--host', '127.0.0.1 203.0.113.9'];
  const { code, stderr } = await runBare({ cacheDir, args });
  t.is(code, 1);
  t.regex(stderr, /Cannot listen on "203\.0\.113\.9:\d+": this machine has no such address/);
});
