import type { NetworkInterfaceInfo } from 'node:os';
import test from 'ava';
import fc from 'fast-check';
import { CacheError } from '../../daemon/errors.ts';
import { createAllowList } from '../../daemon/serve/allow.ts';

type Dict = NodeJS.Dict<NetworkInterfaceInfo[]>;

function interfaceWith(...prefixes: readonly (string | null)[]): Dict {
  const addresses = prefixes.map((cidr): NetworkInterfaceInfo => {
    const common = { address: '', netmask: '', mac: '', internal: false, cidr };
    return cidr?.includes(':')
      ? { ...common, family: 'IPv6', scopeid: 0 }
      : { ...common, family: 'IPv4' };
  });
  return { eth0: addresses };
}

function allowing(rules: readonly string[], interfaces: () => Dict = () => ({})) {
  return createAllowList({ rules, interfaces });
}

const admitted: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '0:0:0:0:0:0:0:1'],
  private: [
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.4.9',
    '169.254.7.7',
    'fd00::2',
    'fe80::1',
    'fe80::1%eth0',
    '::ffff:192.168.4.9',
    '::FFFF:192.168.4.9',
    '::ffff:c0a8:409',
  ],
  any: ['203.0.113.9', '2001:db8::1', '::ffff:203.0.113.9', 'fe80::1%wlan0'],
  '203.0.113.9': ['203.0.113.9', '::ffff:203.0.113.9'],
  '203.0.113.77/24': ['203.0.113.1', '203.0.113.255'],
  '2001:db8::/32': ['2001:db8::1', '2001:DB8:ffff::1'],
  '2001:db8::7': ['2001:db8::7', '2001:db8:0:0::7'],
  '::ffff:10.0.0.0/104': ['10.255.0.1', '::ffff:10.255.0.1'],
  '::ffff:10.1.2.3': ['10.1.2.3'],
  'fe80::7%eth0': ['fe80::7', 'fe80::7%eth1'],
  '0.0.0.0/0': ['203.0.113.9'],
  '::/0': ['2001:db8::1'],
};

const refused: Readonly<Record<string, readonly string[]>> = {
  loopback: ['128.0.0.1', '10.0.0.1', '::2', '::ffff:10.0.0.1'],
  private: ['172.32.0.1', '172.15.255.255', '100.64.0.1', '8.8.8.8', '2001:db8::1', '127.0.0.1'],
  local: ['127.0.0.1', '192.168.0.1', 'fe80::1'],
  '203.0.113.9': ['203.0.113.8', '2001:db8::1'],
  '203.0.113.0/24': ['203.0.114.1', '::203.0.113.1'],
  '0.0.0.0/0': ['2001:db8::1'],
  '::/0': ['203.0.113.9', '::ffff:203.0.113.9'],
  any: ['', 'nonsense', '1.2.3', '1.2.3.4.5', '%eth0', '::ffff:', '::ffff:1.2.3', '1.2.3.4/8'],
};

for (const [rule, addresses] of Object.entries(admitted)) {
  test(`${rule} admits ${addresses.join(' ')}`, (t) => {
    const list = allowing([rule]);
    for (const address of addresses) t.true(list.allows(address), address);
  });
}

for (const [rule, addresses] of Object.entries(refused)) {
  test(`${rule} refuses ${addresses.join(' ')}`, (t) => {
    const list = allowing([rule]);
    for (const address of addresses) t.false(list.allows(address), address);
  });
}

test('rules add up, and no rule at all admits nobody', (t) => {
  const list = allowing(['loopback', '203.0.113.0/24']);
  t.true(list.allows('127.0.0.1'));
  t.true(list.allows('203.0.113.4'));
  t.false(list.allows('10.0.0.1'));
  t.false(allowing([]).allows('127.0.0.1'));
});

test('a socket that is already gone has no address and is refused', (t) => {
  t.false(allowing(['any', 'local']).allows(undefined));
});

test('local admits the on-link prefixes of every interface, of both families', (t) => {
  const list = allowing(['local'], () => ({
    ...interfaceWith('203.0.113.5/24', '2001:db8:1::5/64', 'fe80::5/64', null),
    down: undefined,
  }));
  for (const address of [
    '203.0.113.77',
    '2001:db8:1::77',
    'fe80::77%eth0',
    '::ffff:203.0.113.77',
  ]) {
    t.true(list.allows(address), address);
  }
  for (const address of ['203.0.114.1', '2001:db8:2::1', '10.0.0.1']) {
    t.false(list.allows(address), address);
  }
});

test('a prefix of no bits on an interface is not the neighbourhood', (t) => {
  t.false(allowing(['local'], () => interfaceWith('10.8.0.2/0', '::1/0')).allows('203.0.113.9'));
});

test('the interfaces are read again after ten seconds, and only when no fixed rule matches', (t) => {
  let time = 1000;
  let reads = 0;
  let prefix = '203.0.113.5/24';
  const list = createAllowList({
    rules: ['loopback', 'local'],
    interfaces: () => {
      reads += 1;
      return interfaceWith(prefix);
    },
    now: () => time,
  });
  t.true(list.allows('127.0.0.1'));
  t.is(reads, 0);
  t.true(list.allows('203.0.113.9'));
  prefix = '198.51.100.5/24';
  time += 9999;
  t.true(list.allows('203.0.113.9'));
  t.false(list.allows('198.51.100.9'));
  t.is(reads, 1);
  time += 1;
  t.false(list.allows('203.0.113.9'));
  t.true(list.allows('198.51.100.9'));
  t.is(reads, 2);
});

test('without local the interfaces are never read', (t) => {
  const list = allowing(['loopback'], () => {
    throw new Error('not to be asked');
  });
  t.notThrows(() => list.allows('203.0.113.9'));
});

test('interfaces that may not be read admit nobody, and are asked again later', (t) => {
  let time = 0;
  let permitted = false;
  const list = createAllowList({
    rules: ['local'],
    interfaces: () => {
      if (permitted) return interfaceWith('203.0.113.5/24');
      throw new Error('uv_interface_addresses returned Unknown system error 97');
    },
    now: () => time,
  });
  t.false(list.allows('203.0.113.9'));
  permitted = true;
  t.false(list.allows('203.0.113.9'));
  time += 10_000;
  t.true(list.allows('203.0.113.9'));
});

const nonsense = [
  '',
  'lan',
  'Loopback',
  'constructor',
  '10.0.0.0/33',
  '::/129',
  '10.0.0.0/',
  '10.0.0.0/-1',
  '10.0.0.0/8/8',
  '10.0.0/8',
  '/8',
  '::ffff:10.0.0.0/95',
  'cache.example',
];

for (const rule of nonsense) {
  test(`"${rule}" is no rule, and the error says what is`, (t) => {
    const error = t.throws(() => allowing(['any', rule]), { instanceOf: CacheError });
    t.is(error.code, 'config');
    t.true(error.message.startsWith(`Cannot parse ALLOW rule "${rule}": write an address`));
  });
}

test('an address is admitted by its own prefix of any length, mapped or not', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, bits) => {
        const list = allowing([`${address}/${bits}`]);
        return list.allows(address) && list.allows(`::ffff:${address}`);
      }),
      { numRuns: 50 },
    ),
  );
});

test('no text makes the list throw', (t) => {
  const list = allowing(['any', 'local'], () => interfaceWith('203.0.113.5/24'));
  t.notThrows(() =>
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !list.allows(`${text}/`))),
  );
});
