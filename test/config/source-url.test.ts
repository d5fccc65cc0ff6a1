import { inspect } from 'node:util';
import test from 'ava';
import fc from 'fast-check';
import { parseSourceUrl, withoutCredentials } from '../../daemon/config/source-url.ts';
import { parseProxy, parseSources } from '../../daemon/config/sources.ts';
import { CacheError } from '../../daemon/errors.ts';

test('a source URL is taken apart, and its path ends in a slash', (t) => {
  t.deepEqual(parseSourceUrl('http://distfiles.gentoo.org'), {
    url: 'http://distfiles.gentoo.org/',
    origin: 'http://distfiles.gentoo.org',
    protocol: 'http:',
    hostname: 'distfiles.gentoo.org',
    port: 80,
    basePath: '/',
  });
  t.deepEqual(parseSourceUrl('HTTPS://Mirror.Example:8443/pub/gentoo'), {
    url: 'https://mirror.example:8443/pub/gentoo/',
    origin: 'https://mirror.example:8443',
    protocol: 'https:',
    hostname: 'mirror.example',
    port: 8443,
    basePath: '/pub/gentoo/',
  });
});

for (const [text, url] of [
  ['http://host:80/', 'http://host/'],
  ['https://host:443', 'https://host/'],
  ['https://host:80', 'https://host:80/'],
  ['http://host:0080/', 'http://host/'],
  ['http://host./a/', 'http://host/a/'],
  ['http://127.1/', 'http://127.0.0.1/'],
  ['http://[2001:DB8:0::1]:8080/', 'http://[2001:db8::1]:8080/'],
  ['http://bücher.example/', 'http://xn--bcher-kva.example/'],
  ['http://my_host/', 'http://my_host/'],
  ['http://host/a%2Fb%2f%7e~/', 'http://host/a%2Fb%2f%7e~/'],
  ['http://host/é', 'http://host/%C3%A9/'],
  ['http://host/a//b', 'http://host/a//b/'],
  ['http://host/2024@v1/', 'http://host/2024@v1/'],
] as const) {
  test(`${text} is ${url}`, (t) => {
    t.is(parseSourceUrl(text).url, url);
  });
}

test('the host name has no brackets and no trailing dot', (t) => {
  t.is(parseSourceUrl('http://[::1]/').hostname, '::1');
  t.is(parseSourceUrl('http://Host.Example./').hostname, 'host.example');
});

for (const [userinfo, plain] of [
  ['user:password', 'user:password'],
  ['user', 'user:'],
  [':password', ':password'],
  ['us%40er:p%3Aa%2Fss%25', 'us@er:p:a/ss%'],
  ['user:p@ss', 'user:p@ss'],
  ['ü:ö', 'ü:ö'],
] as const) {
  test(`the credentials ${userinfo} become a Basic field value and appear nowhere else`, (t) => {
    const source = parseSourceUrl(`https://${userinfo}@host/gentoo/`);
    t.is(source.authorization, `Basic ${Buffer.from(plain).toString('base64')}`);
    t.deepEqual(
      { ...source, authorization: undefined },
      {
        ...parseSourceUrl('https://host/gentoo/'),
        authorization: undefined,
      },
    );
  });
}

test('without credentials there is no authorization', (t) => {
  t.false('authorization' in parseSourceUrl('http://host/'));
  t.false('authorization' in parseSourceUrl('http://@host/'));
});

for (const [text, reason] of [
  ['', /it is empty/],
  ['ftp://host/', /ftp:\/\/ is not possible, only http:\/\/ and https:\/\/ are/],
  ['rsync://host/gentoo', /rsync:\/\/ is not possible/],
  ['file:///srv/distfiles', /only http/],
  ['host', /no scheme, write http:\/\/host$/],
  ['host:8080/gentoo', /no scheme, write http:\/\/host:8080\/gentoo$/],
  ['//host/gentoo', /no scheme, write http:\/\/host\/gentoo$/],
  ['http:/host/', /write \/\/ after http:/],
  ['http:host', /write \/\/ after http:/],
  ['http://', /host is missing/],
  ['http:///gentoo', /host is missing/],
  ['http://:80/', /host is missing/],
  ['http://user:password@/', /host is missing/],
  ['http://./', /host is no name/],
  ['http://a..b/', /host is no name/],
  ['http://a<b/', /host is no name/],
  ['http://256.1.1.1/', /host is no name/],
  ['http://[::g]/', /host is no name/],
  ['http://::1/', /IPv6 address needs brackets/],
  ['http://host:/', /port is no number from 1 to 65535/],
  ['http://host:0/', /port is no number/],
  ['http://host:65536/', /port is no number/],
  ['http://host:80a/', /port is no number/],
  ['http://host:-1/', /port is no number/],
  ['http://host/?mirror=1', /no query and no fragment/],
  ['http://host/#top', /no query and no fragment/],
  ['http://host?', /no query and no fragment/],
  ['http://ho st/', /white space/],
  [' http://host/', /white space/],
  ['http://host/\n', /white space/],
  ['http://ho\tst/', /white space/],
  ['http://h\u00a0st/', /white space/],
  ['http:\\\\host\\', /backslash/],
  ['http://host/a/../b', /holds \. or \.\./],
  ['http://host/%2E%2e/b', /holds \. or \.\./],
  ['http://host/./', /holds \. or \.\./],
  ['http://host/100%', /% in its path/],
  ['http://host/%zz/', /% in its path/],
  ['http://us%er@host/', /bad percent-escape/],
  ['http://us%3Aer:x@host/', /holds a colon/],
  ['http://user:%0a@host/', /control character/],
] as const) {
  test(`${JSON.stringify(text)} is refused with the reason`, (t) => {
    const error = t.throws(() => parseSourceUrl(text), { instanceOf: CacheError });
    t.is(error.code, 'config');
    t.regex(error.reason, reason);
    t.regex(error.message, /^Cannot use "/);
  });
}

const secret = fc
  .stringMatching(/^[A-Za-z0-9!$&*+,;=~/?#%@: -]{0,8}$/)
  .map((end) => `s3cr3t${end}`);
const template = fc.constantFrom(
  'http://user:SECRET@host:99999/',
  'http://user:SECRET@host/?query',
  'http://SECRET@ho st/',
  'ftp://user:SECRET@host/',
  'user:SECRET@host/gentoo',
  'http:/user:SECRET@host/',
  'http:user:SECRET@host/',
  'https://user:SECRET@/',
  'http://user:SECRET@host/%zz',
  'http://user:SECRET%@host/',
  'http://user:SECRET',
  'http://host/?token=SECRET',
);

test('no error ever holds a password, in its text, its fields or its cause', (t) => {
  const holdsNone = fc.property(template, secret, (text, password) => {
    const url = text.replace('SECRET', () => password);
    // In a list white space ends a URL, and what is before it may well be a host.
    const parsers = [parseSourceUrl, parseProxy, ...(url.includes(' ') ? [] : [parseSources])];
    for (const parse of parsers) {
      try {
        parse(url);
      } catch (error) {
        const shown = inspect(error, { depth: 9, showHidden: true }).replace(/\n +at .*/g, '');
        if (shown.includes('s3cr3t')) return false;
      }
    }
    return !withoutCredentials(url).includes('s3cr3t');
  });
  t.notThrows(() => fc.assert(holdsNone, { numRuns: 300 }));
});

test('a password that white space cuts in two is not shown as a port', (t) => {
  const error = t.throws(() => parseSources('http://user:s3cr3t and@host/'));
  t.is(
    error?.message,
    'Cannot use "http://user:…": "http://user:…": the port is no number from 1 to 65535',
  );
});

test('a list of sources keeps its order, and a source listed twice is refused', (t) => {
  const sources = parseSources(' http://b/\n\thttp://a/x  http://a/ ');
  t.deepEqual(
    sources.map(({ url }) => url),
    ['http://b/', 'http://a/x/', 'http://a/'],
  );
  t.throws(() => parseSources('http://a/ http://A:80'), {
    message: /"http:\/\/a\/" is listed twice/,
  });
});

test('a list with commas is refused, since a comma is legal in a path', (t) => {
  t.throws(() => parseSources('http://a/,http://b/'), {
    message: /separate URLs with white space/,
  });
});

test('a proxy is an http URL without a path, and keeps its credentials', (t) => {
  t.is(parseProxy('http://user:password@proxy:3128'), 'http://user:password@proxy:3128');
  t.throws(() => parseProxy('https://proxy:3128'), { message: /only an http:\/\/ proxy/ });
  t.throws(() => parseProxy('http://proxy/path'), { message: /has no path/ });
});
