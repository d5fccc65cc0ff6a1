import test from 'ava';
import { type Daemon, startDaemon } from '../helpers/daemon.ts';
import { dnat, ready } from './firewall.ts';
import { addresses, type Machine } from './network.ts';

const sources = ['http://mirror.example.org/'];
const [cache4, cache6] = addresses.cache;

interface Fetched {
  readonly body: string;
  readonly outcome: string;
}

async function fetchFrom({ do: act }: Machine, url: string, ...options: readonly string[]) {
  const out = await act('curl -sS -m 10 -D - "$@"', ...options, url);
  const outcome =
    /^cache-status: package-cache; (.*)\r$/im.exec(out)?.[1] ?? 'not through the cache';
  return { body: out.slice(out.indexOf('\r\n\r\n') + 4), outcome } satisfies Fetched;
}

/** Waits until the daemon has it on its disk: what is asked for then is a hit. */
async function stored(daemon: Daemon, name: string): Promise<void> {
  await daemon.logged(new RegExp(`stored "${name}"`));
}

for (const firewall of ['iptables', 'nftables'] as const) {
  const title = (text: string) => `${firewall}: ${text}`;

  test(title('a router leads clients of either family to the cache, and it is hit'), async (t) => {
    const network = await ready(t);
    if (network === undefined) return;
    const { router, client, guest, cache, asked } = network;
    // The router stands in for the cache's neighbours, and for them alone.
    const ALLOW = '192.168.7.1 fd07::1 192.168.8.2 fd08::2';
    const conf = { HOST: '::', ALLOW };
    const daemon = await startDaemon(t, { sources, conf, inside: cache.pid });
    const to = ['--to', `${cache4}:${daemon.port}`, '--to', `[${cache6}]:${daemon.port}`];
    await dnat(router, firewall, 'add', ...to, 'mirror.example.org');
    const url = 'http://mirror.example.org/distfiles/ab/a.tar.xz';
    const miss = await fetchFrom(client, url, '-4');
    t.deepEqual(miss, {
      body: 'the package /distfiles/ab/a.tar.xz',
      outcome: 'fwd=uri-miss; stored',
    });
    await stored(daemon, 'distfiles/ab/a.tar.xz');
    for (const machine of [client, guest]) {
      for (const family of ['-4', '-6']) {
        t.deepEqual(await fetchFrom(machine, url, family), { body: miss.body, outcome: 'hit' });
      }
    }
    t.is(asked().length, 1);
    t.regex(asked()[0] ?? '', / from (?:192\.168\.7\.3|fd07::3)$/);
  });

  test(title('only port 80 of the mirror, and not the cache itself, is redirected'), async (t) => {
    const network = await ready(t);
    if (network === undefined) return;
    const { router, client, cache, guest, asked } = network;
    // Nothing answers where the cache should be: what is led there fails.
    await dnat(
      router,
      firewall,
      'add',
      '--to',
      `${cache4}:9`,
      '--except',
      '192.168.8.0/24',
      'mirror.example.org',
    );
    const url = 'http://mirror.example.org/a';
    t.not((await client.sh('curl -sS -4 -m 10 "$1"', url)).code, 0);
    t.is((await fetchFrom(cache, url, '-4')).body, 'the package /a');
    t.is((await fetchFrom(guest, url, '-4')).body, 'the package /a');
    t.is((await fetchFrom(client, 'http://other.example.org/b', '-4')).body, 'the package /b');
    t.deepEqual(
      asked(),
      ['/a from 192.168.7.3', '/a from 192.168.8.2', '/b from 192.168.7.2'].map(
        (line) => `GET ${line}`,
      ),
    );
    await dnat(
      router,
      firewall,
      'add',
      '--to',
      `${cache4}:9`,
      '--in',
      'guests',
      'mirror.example.org',
    );
    t.is((await fetchFrom(client, url, '-4')).body, 'the package /a');
    t.not((await guest.sh('curl -sS -4 -m 10 "$1"', url)).code, 0);
  });

  test(
    title('on the cache itself, its own machine and others are served, without a loop'),
    async (t) => {
      const network = await ready(t);
      if (network === undefined) return;
      const { router, client, asked } = network;
      const conf = { HOST: '::' };
      const daemon = await startDaemon(t, { sources, conf, inside: router.pid, user: 'nobody' });
      const to = ['--to', String(daemon.port), '--local', '--user', 'nobody'];
      await dnat(router, firewall, 'add', ...to, 'mirror.example.org');
      const url = 'http://mirror.example.org/distfiles/ab/a.tar.xz';
      t.is((await fetchFrom(router, url, '-4')).outcome, 'fwd=uri-miss; stored');
      await stored(daemon, 'distfiles/ab/a.tar.xz');
      for (const machine of [router, client]) {
        for (const family of ['-4', '-6']) {
          t.is((await fetchFrom(machine, url, family)).outcome, 'hit');
        }
      }
      t.is(asked().length, 1);
    },
  );

  test(title('what the router asks for itself is led to a cache elsewhere'), async (t) => {
    const network = await ready(t);
    if (network === undefined) return;
    const { router, cache, asked } = network;
    const conf = { HOST: '::', ALLOW: '192.168.7.0/24 fd07::/64' };
    const daemon = await startDaemon(t, { sources, conf, inside: cache.pid });
    const to = ['--to', `${cache4}:${daemon.port}`, '--to', `[${cache6}]:${daemon.port}`];
    await dnat(router, firewall, 'add', ...to, '--local', 'mirror.example.org');
    const url = 'http://mirror.example.org/distfiles/ab/a.tar.xz';
    t.is((await fetchFrom(router, url, '-4')).outcome, 'fwd=uri-miss; stored');
    await stored(daemon, 'distfiles/ab/a.tar.xz');
    t.is((await fetchFrom(router, url, '-6')).outcome, 'hit');
    t.is(asked().length, 1);
  });
}
