import test from 'ava';
import { type Expected, judge, type Verdict } from '../../daemon/origin/judge.ts';

type Fields = Readonly<Record<string, string | readonly string[]>>;

const modified = 'Sun, 05 May 2024 06:07:08 GMT';
const whole: Fields = { 'Content-Length': '1000', 'Last-Modified': modified, ETag: '"a"' };
const part: Fields = { 'Content-Length': '900', 'Content-Range': 'bytes 100-999/1000' };
const archive: Expected = { path: 'distfiles/aa/x-1.tar.xz', mutable: false };
const rest: Expected = { ...archive, offset: 100 };

function verdictOn(status: number, fields: Fields, expected: Partial<Expected> = {}): Verdict {
  const lines = Object.entries(fields).flatMap(([name, value]) =>
    [value].flat().flatMap((line) => [name, line]),
  );
  return judge({ status, fields: lines }, { ...archive, ...expected });
}

test('the head of a package is what the client may be told of it', (t) => {
  const type = 'application/x-xz';
  t.deepEqual(verdictOn(200, { ...whole, 'Content-Type': type }), {
    kind: 'good',
    from: 0,
    head: { length: 1000, framed: true, lastModified: 1_714_889_228, etag: '"a"', type },
  });
});

type Row = readonly [what: string, status: number, fields: Fields];

const good: readonly (readonly [...Row, expected?: Partial<Expected>])[] = [
  ['a body with a length', 200, { 'Content-Length': '1' }],
  ['a chunked body', 200, { 'Transfer-Encoding': 'chunked' }],
  ['a chunked body in capitals', 200, { 'transfer-encoding': 'Chunked' }],
  ['a body that the connection ends', 200, {}],
  ['one length said twice', 200, { 'Content-Length': ['7', '7'] }],
  ['the coding identity', 200, { ...whole, 'Content-Encoding': 'identity' }],
  ['gzip on a .gz file', 200, { ...whole, 'Content-Encoding': 'gzip' }, { path: 'a/x.tar.gz' }],
  ['x-gzip on a .tgz file', 200, { ...whole, 'Content-Encoding': 'x-GZip' }, { path: 'x.TGZ' }],
  ['HTML for an HTML name', 200, { ...whole, 'Content-Type': 'text/html' }, { path: 'a/i.html' }],
  ['HTML for a listing', 200, { ...whole, 'Content-Type': 'text/html' }, { page: true, path: '' }],
  ['a type that only begins like HTML', 200, { ...whole, 'Content-Type': 'text/htmlish' }],
  ['an empty body for a name that may change', 200, { 'Content-Length': '0' }, { mutable: true }],
  ['the rest that was asked for', 206, part, rest],
  ['a chunked rest', 206, { ...part, 'Transfer-Encoding': 'chunked' }, rest],
  ['a rest in any case of its unit', 206, { 'Content-Range': 'Bytes 100-999/1000' }, rest],
  ['the whole for a rest, where it is welcome', 200, whole, { ...rest, orWhole: true }],
];

for (const [what, status, fields, expected] of good) {
  test(`${what} is a package`, (t) => {
    t.is(verdictOn(status, fields, expected).kind, 'good');
  });
}

const faults: readonly (readonly [...Row, expected: Partial<Expected>, reason: RegExp])[] = [
  ['an HTML page', 200, { ...whole, 'Content-Type': 'text/html' }, {}, /HTML page/],
  ['HTML with a charset', 200, { 'Content-Type': 'Text/HTML; charset=utf-8' }, {}, /HTML page/],
  ['XHTML', 200, { 'Content-Type': 'application/xhtml+xml' }, {}, /HTML page/],
  ['HTML for an index', 200, { 'Content-Type': 'text/html' }, { mutable: true }, /HTML page/],
  ['a body without a byte', 200, { 'Content-Length': '0' }, {}, /empty/],
  ['two lengths', 200, { 'Content-Length': ['7', '8'] }, {}, /several lengths/],
  ['two lengths in one field', 200, { 'Content-Length': '7, 7' }, {}, /the length "7, 7"/],
  ['a negative length', 200, { 'Content-Length': '-1' }, {}, /length/],
  ['a hexadecimal length', 200, { 'Content-Length': '0x10' }, {}, /length/],
  ['a length with an exponent', 200, { 'Content-Length': '1e3' }, {}, /length/],
  ['no digits for a length', 200, { 'Content-Length': '' }, {}, /length/],
  ['a length beyond 2^53', 200, { 'Content-Length': '99999999999999999999' }, {}, /length/],
  ['gzip on a .tar.xz', 200, { 'Content-Encoding': 'gzip' }, {}, /content coding gzip/],
  ['brotli on a .gz', 200, { 'Content-Encoding': 'br' }, { path: 'x.gz' }, /content coding br/],
  ['gzip twice', 200, { 'Content-Encoding': 'gzip, gzip' }, { path: 'x.gz' }, /gzip, gzip/],
  ['gzip on two lines', 200, { 'Content-Encoding': ['gzip', 'gzip'] }, { path: 'x.gz' }, /gzip/],
  ['gzip on an index', 200, { 'Content-Encoding': 'gzip' }, { mutable: true, path: 'i' }, /gzip/],
  ['a transfer coding', 200, { 'Transfer-Encoding': 'gzip, chunked' }, {}, /transfer coding gzip/],
  ['a transfer coding without chunks', 200, { 'Transfer-Encoding': 'gzip' }, {}, /transfer coding/],
  ['201', 201, whole, {}, /status 201/],
  ['204', 204, {}, {}, /status 204/],
  ['206 that nobody asked for', 206, part, {}, /status 206/],
  ['304 that nobody asked for', 304, {}, {}, /status 304/],
  ['a redirect to nowhere', 302, {}, {}, /status 302/],
  ['401', 401, {}, {}, /status 401/],
  ['429', 429, {}, {}, /status 429/],
  ['500', 500, {}, {}, /status 500/],
  ['503', 503, {}, {}, /status 503/],
  ['a rest without Content-Range', 206, { 'Content-Length': '900' }, rest, /range ""/],
  ['a rest from elsewhere', 206, { 'Content-Range': 'bytes 99-999/1000' }, rest, /99-999/],
  ['a rest that ends early', 206, { 'Content-Range': 'bytes 100-998/1000' }, rest, /100-998/],
  ['a rest of an unknown whole', 206, { 'Content-Range': 'bytes 100-999/*' }, rest, /\/\*/],
  ['several parts', 206, { 'Content-Type': 'multipart/byteranges' }, rest, /range ""/],
  ['a part with another length', 206, { ...part, 'Content-Length': '901' }, rest, /901 bytes/],
  ['a coded rest', 206, { ...part, 'Content-Encoding': 'gzip' }, rest, /content coding gzip/],
];

for (const [what, status, fields, expected, reason] of faults) {
  test(`${what} counts against the source`, (t) => {
    const verdict = verdictOn(status, fields, expected);
    t.is(verdict.kind, 'bad');
    t.regex('reason' in verdict ? verdict.reason : '', reason);
  });
}

const kinds: readonly (readonly [...Row, expected: Partial<Expected>, kind: Verdict['kind']])[] = [
  ['404', 404, {}, {}, 'missing'],
  ['410', 410, {}, {}, 'missing'],
  ['404 with a page', 404, { 'Content-Type': 'text/html', 'Content-Length': '9' }, {}, 'missing'],
  ['404 to a range', 404, {}, rest, 'missing'],
  ['304 to our validators', 304, {}, { mutable: true, conditional: true }, 'unchanged'],
  ['400', 400, {}, {}, 'unfit'],
  ['403, as S3 says for 404', 403, {}, {}, 'unfit'],
  ['451', 451, {}, {}, 'unfit'],
  ['403 for a listing', 403, {}, { page: true, mutable: true }, 'unfit'],
  ['416 to a range', 416, {}, rest, 'unfit'],
  ['the whole for a range', 200, whole, rest, 'unfit'],
];

for (const [what, status, fields, expected, kind] of kinds) {
  test(`${what} is an answer that costs no health (${kind})`, (t) => {
    t.is(verdictOn(status, fields, expected).kind, kind);
  });
}

test('only framing that tells a whole body from a cut one makes a body to store', (t) => {
  const framed = (fields: Fields) => {
    const verdict = verdictOn(200, fields);
    return verdict.kind === 'good' && verdict.head.framed;
  };
  t.true(framed({ 'Content-Length': '1' }));
  t.true(framed({ 'Transfer-Encoding': 'chunked' }));
  t.false(framed({}));
});

test('chunks win over a length beside them (RFC 9112 6.3)', (t) => {
  const verdict = verdictOn(200, { 'Content-Length': '5', 'Transfer-Encoding': 'chunked' });
  t.is(verdict.kind === 'good' ? verdict.head.length : 0, undefined);
});

test('a date that is none, or that no file can have, is no Last-Modified', (t) => {
  for (const date of ['yesterday', '', 'Sun, 05 May 1968 06:07:08 GMT']) {
    const verdict = verdictOn(200, { ...whole, 'Last-Modified': date });
    t.is(verdict.kind === 'good' ? verdict.head.lastModified : 0, undefined);
  }
});
