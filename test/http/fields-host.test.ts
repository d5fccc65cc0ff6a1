import test from 'ava';
import fc from 'fast-check';
import { isHostField, splitHost } from '../../daemon/http/fields.ts';

const hosts: readonly (readonly [string, { host: string; port?: number }])[] = [
  ['example.com', { host: 'example.com' }],
  ['EXAMPLE.Com', { host: 'example.com' }],
  ['example.com.', { host: 'example.com' }],
  ['example.com.:80', { host: 'example.com', port: 80 }],
  ['example.com:4000', { host: 'example.com', port: 4000 }],
  ['example.com:', { host: 'example.com' }],
  ['example.com:0', { host: 'example.com', port: 0 }],
  ['example.com:65535', { host: 'example.com', port: 65_535 }],
  ['example.com:0000080', { host: 'example.com', port: 80 }],
  ['localhost', { host: 'localhost' }],
  ['my_mirror-1', { host: 'my_mirror-1' }],
  ["a!$&'()*+,;=~b", { host: "a!$&'()*+,;=~b" }],
  ['%41.example', { host: '%41.example' }],
  ['192.0.2.1', { host: '192.0.2.1' }],
  ['192.0.2.1:80', { host: '192.0.2.1', port: 80 }],
  ['[2001:DB8::1]', { host: '2001:db8::1' }],
  ['[2001:db8::1]:4000', { host: '2001:db8::1', port: 4000 }],
  ['[::]:', { host: '::' }],
  ['[::ffff:192.0.2.1]', { host: '::ffff:192.0.2.1' }],
  ['[v1.fe80::a+en1]', { host: 'v1.fe80::a+en1' }],
];

for (const [value, parts] of hosts) {
  test(`<${value}> is a Host and is split into host and port (RFC 9110 7.2)`, (t) => {
    t.true(isHostField(value));
    t.deepEqual(splitHost(value), parts);
  });
}

const notHosts = [
  '',
  ':80',
  ' example.com',
  'example.com ',
  'exa mple.com',
  'example.com\t',
  'example.com:65536',
  'example.com:99999999999999999999',
  'example.com:-1',
  'example.com:+80',
  'example.com:8o',
  'example.com: 80',
  'example.com:80:80',
  'user@example.com',
  'user:secret@example.com:80',
  'http://example.com',
  'example.com/',
  'example.com?a',
  'example.com#a',
  'example.com\\a',
  'a, b',
  'ex%4zmple',
  '%',
  'exämple.com',
  '"example"',
  '<example>',
  'example\u0000',
  'example.com\n',
  '2001:db8::1',
  '[2001:db8::1',
  '2001:db8::1]',
  '[2001:db8::1]80',
  '[2001:db8::1]:x',
  '[2001:db8::g]',
  '[2001:db8:::1]',
  '[fe80::1%eth0]',
  '[fe80::1%25eth0]',
  '[192.0.2.1]',
  '[example.com]',
  '[]',
  '[::1]]',
  '[[::1]]',
  'a[::1]',
  '[v1.]',
  '[v1.a/]',
  '[xv1.a]',
  '[v.a]',
  '[vg.a]',
];

for (const value of notHosts) {
  test(`${JSON.stringify(value)} is not a Host (RFC 9110 7.2, RFC 3986 3.2.2)`, (t) => {
    t.false(isHostField(value));
    t.is(splitHost(value), undefined);
  });
}

test('a host of one dot names nothing, though its form is right (RFC 3986 3.2.2)', (t) => {
  t.true(isHostField('.'));
  t.is(splitHost('.'), undefined);
});

test('a host and port are read as URL reads those of an http URI (RFC 9110 4.2.1)', (t) => {
  const host = fc.oneof(fc.domain(), fc.ipV4());
  const port = fc.integer({ min: 1, max: 65_535 });
  t.notThrows(() =>
    fc.assert(
      fc.property(host, port, (name, number) => {
        const url = new URL(`http://${name}:${number}/`);
        const parts = splitHost(`${name}:${number}`);
        return parts?.host === url.hostname && parts.port === Number(url.port || 80);
      }),
    ),
  );
});
