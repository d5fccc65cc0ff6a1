import { readFile } from 'node:fs/promises';
import test from 'ava';
import { run } from '../helpers/process.ts';
import { needs } from '../helpers/programs.ts';
import { dnat, type Firewall, ready, rulesOf, scriptOf } from './firewall.ts';
import { addresses } from './network.ts';

const [cache4, cache6] = addresses.cache;

for (const firewall of ['iptables', 'nftables'] as const) {
  const title = (text: string) => `${firewall}: ${text}`;

  test(
    title('rules are added once, listed, and removed, and no other rule is touched'),
    async (t) => {
      const network = await ready(t);
      if (network === undefined) return;
      const { router } = network;
      await router.do(`iptables -t nat -A PREROUTING -p tcp --dport 80 -m comment --comment mirror.example.org -j ACCEPT
      nft add table inet foreign
      nft 'add chain inet foreign c { type nat hook prerouting priority dstnat; }'
      nft add rule inet foreign c tcp dport 80 accept comment mirror.example.org`);
      const act = (...args: readonly string[]) => dnat(router, firewall, ...args);
      const to = ['--to', `${cache4}:4000`, '--to', `[${cache6}]:4000`, '--local'];
      t.is(await act('list'), '');
      const before = await rulesOf(router, firewall);
      await act('add', ...to, 'mirror.example.org');
      const one = await rulesOf(router, firewall);
      await act('add', ...to, 'mirror.example.org', 'mirror.example.org');
      t.is(await rulesOf(router, firewall), one);
      await act('add', ...to, 'other.example.org');
      const listed = (await act('list')).trim().split('\n');
      const of = (text: string) => listed.filter((line) => line.includes(text)).length;
      t.is(of('mirror.example.org'), of('other.example.org'));
      t.is(of('mirror.example.org') * 2, listed.length);
      t.true(of('203.0.113.80') > 0 && of('2001:db8:80::80') > 0);
      await act('remove', 'other.example.org');
      t.is(await rulesOf(router, firewall), one);
      const unknown = await router.sh('"$1" remove other.example.org', scriptOf(firewall));
      t.is(unknown.code, 0);
      t.regex(unknown.stderr, /no rule for other\.example\.org/);
      await act('remove', 'mirror.example.org');
      t.is(await rulesOf(router, firewall), before);
      await act('add', ...to, 'mirror.example.org', 'other.example.org');
      await act('remove');
      await act('remove');
      t.is(await rulesOf(router, firewall), before);
    },
  );

  test(title('a family that has no cache is told, and left alone'), async (t) => {
    const network = await ready(t);
    if (network === undefined) return;
    const { router } = network;
    const add = (name: string) =>
      router.sh('"$1" add --to "$2" "$3"', scriptOf(firewall), `${cache4}:4000`, name);
    const both = await add('mirror.example.org');
    t.is(both.code, 0);
    t.regex(both.stderr, /2001:db8:80::80: mirror\.example\.org is reached there past the cache/);
    const before = await rulesOf(router, firewall);
    for (const [name, reason] of [
      ['six.example.org', /Cannot redirect "six\.example\.org": no --to for the family of/],
      ['none.example.org', /Cannot redirect "none\.example\.org": the name has no address/],
      [cache4, /Cannot redirect "192\.168\.7\.3": 192\.168\.7\.3 is the cache itself/],
    ] as const) {
      const { code, stderr } = await add(name);
      t.is(code, 1);
      t.regex(stderr, reason);
    }
    t.is(await rulesOf(router, firewall), before);
  });

  test(title('wrong usage is told before anything is done'), async (t) => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['', /say add, list or remove/],
      ['flush', /say add, list or remove/],
      ['add', /say the host of a mirror/],
      ['add mirror.example.org', /say where the cache is: --to/],
      ['add --to', /--to needs a value/],
      ['add --to 192.168.7.3 mirror.example.org', /ADDRESS:PORT or PORT, not 192\.168\.7\.3/],
      ['add --to 192.168.7.3:70000 mirror.example.org', /ADDRESS:PORT or PORT, not/],
      ['add --to fd07::3:4000 mirror.example.org', /\[ADDRESS\]:PORT, not fd07::3:4000/],
      ['add --to cache:4000 mirror.example.org', /--to takes ADDRESS:PORT or PORT/],
      ['add --to 4000 --to 192.168.7.3:4000 mirror.example.org', /here or there/],
      ['add --to 4000 -x mirror.example.org', /not a host: -x/],
      ['add --to 4000 --deep 1 mirror.example.org', /no such option: --deep/],
      ['add --to 4000 mirror.example.org;reboot', /not a host/],
      ['list --local', /list takes no options/],
      ['remove --to 4000', /remove takes no options/],
    ];
    for (const [line, reason] of wrong) {
      const args = line.split(' ').filter((word) => word !== '');
      const { code, stderr } = await run(scriptOf(firewall), { args });
      t.is(code, 2, line);
      t.regex(stderr, reason, line);
    }
    const nobody = ['add', '--to', '4000', '--local', '--user', 'no-such', 'mirror.example.org'];
    const { code, stderr } = await run(scriptOf(firewall), { args: nobody });
    t.is(code, 1);
    t.regex(stderr, /Cannot exempt the user "no-such"/);
    const help = await run(scriptOf(firewall), { args: ['--help'] });
    t.is(help.code, 0);
    t.regex(help.stdout, /^Usage: package-cache-dnat add --to CACHE/);
  });

  test(title('the script is plain POSIX shell, and shellcheck has nothing to say'), async (t) => {
    if (!needs(t, 'shellcheck', 'checkbashisms')) return;
    for (const checker of ['shellcheck', 'checkbashisms']) {
      const { code, stdout, stderr } = await run(checker, { args: [scriptOf(firewall)] });
      t.is(`${stdout}${stderr}`, '');
      t.is(code, 0);
    }
  });
}

test('what both scripts do alike, they say alike', async (t) => {
  const shared = async (firewall: Firewall) => {
    const text = await readFile(scriptOf(firewall), 'utf8');
    return /^# ---- the same in both scripts[\s\S]*^# ---- end of what is the same/m.exec(
      text,
    )?.[0];
  };
  const expected = await shared('iptables');
  t.truthy(expected);
  t.is(await shared('nftables'), expected);
});
