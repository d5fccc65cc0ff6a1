import test from 'ava';
import {
  createLookup,
  isPublicAddress,
  isPublicHost,
  rememberFamily,
} from '../../daemon/origin/address.ts';

const inside = [
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['0.0.0.0', 'this network'],
  ['10.1.2.3', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'shared by carriers'],
  ['169.254.169.254', 'link-local, where clouds keep their secrets'],
  ['198.18.0.1', 'for benchmarks'],
  ['224.0.0.1', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['::1', 'loopback'],
  ['::', 'unspecified'],
  ['fd00::1', 'unique local'],
  ['fe80::1', 'link-local'],
  ['ff02::1', 'multicast'],
  ['::ffff:127.0.0.1', 'loopback in IPv6 clothes'],
  ['::ffff:7f00:1', 'loopback as URLs spell it'],
  ['::ffff:c0a8:101', 'private as URLs spell it'],
  ['64:ff9b::7f00:1', 'loopback behind NAT64'],
  ['64:ff9b:1::1', 'a NAT64 of the LAN'],
  ['2002:c0a8:101::', 'private behind 6to4'],
  ['localhost', 'no address'],
  ['', 'nothing'],
] as const;

for (const [address, what] of inside) {
  test(`"${address}" is not public: ${what}`, (t) => {
    t.false(isPublicAddress(address));
  });
}

const outside = [
  '8.8.8.8',
  '172.15.255.255',
  '172.32.0.0',
  '100.128.0.0',
  '223.255.255.255',
  '2001:4860:4860::8888',
  '::ffff:8.8.8.8',
  '::ffff:808:808',
  '64:ff9b::808:808',
];

for (const address of outside) {
  test(`${address} is public`, (t) => {
    t.true(isPublicAddress(address));
  });
}

test('a name that leads to loopback is not public', async (t) => {
  t.false(await isPublicHost('localhost'));
  t.false(await isPublicHost('127.0.0.1'));
  t.true(await isPublicHost('8.8.8.8'));
});

type Found = { readonly address: string; readonly family: number }[];

function look(hostname: string, options: { publicOnly?: boolean; family?: number } = {}) {
  const memory = new Map<string, number>();
  if (options.family !== undefined) rememberFamily(memory, hostname, options.family);
  const lookup = createLookup(memory, options.publicOnly ?? false);
  return new Promise<Found>((resolve, reject) => {
    lookup(hostname, { all: true }, (error, found) => {
      if (error === null) resolve(found as unknown as Found);
      else reject(error);
    });
  });
}

test('a lookup that wants public addresses does not offer loopback', async (t) => {
  await t.throwsAsync(look('localhost', { publicOnly: true }), {
    message: 'localhost has a loopback or private address only',
  });
  t.true((await look('localhost')).length > 0);
});

test('the family that worked last is offered first (RFC 8305 4)', async (t) => {
  const both = await look('localhost');
  for (const { family } of both) {
    t.is((await look('localhost', { family }))[0]?.family, family);
  }
});

test('a lookup that fails is told as it is', async (t) => {
  await t.throwsAsync(look('no-such-host.invalid'), { message: /no-such-host\.invalid/ });
});

test('a lookup for one address gets one', async (t) => {
  const found = await new Promise<unknown[]>((resolve) => {
    const lookup = createLookup(new Map(), false);
    lookup('localhost', {}, (...results) => resolve(results));
  });
  t.is(found[0], null);
  t.regex(String(found[1]), /^(127\.0\.0\.1|::1)$/);
  t.true(found[2] === 4 || found[2] === 6);
});

test('a thousand hosts are remembered, and the one longest unused is forgotten', (t) => {
  const memory = new Map<string, number>();
  rememberFamily(memory, 'first', 6);
  for (let host = 0; host < 999; host += 1) rememberFamily(memory, `host-${host}`, 4);
  rememberFamily(memory, 'first', 6);
  rememberFamily(memory, 'last', 4);
  t.is(memory.size, 1000);
  t.true(memory.has('first'));
  t.false(memory.has('host-0'));
});
