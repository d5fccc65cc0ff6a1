import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { printable } from '../../daemon/errors.ts';
import { startDaemon } from '../helpers/daemon.ts';
import { startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const scene = share(test, async (t) => {
  const origin = await startOrigin(t);
  return { origin, daemon: await startDaemon(t, { sources: [origin.url] }) };
});

/** The name, and how clients spell it: the first spelling goes to the source, the others are hits. */
const names: readonly (readonly [name: string, ...spellings: [string, ...string[]]])[] = [
  [
    'libsigc++-2.12.1-1.tar',
    'libsigc++-2.12.1-1.tar',
    'libsigc%2B%2B-2.12.1-1.tar',
    'libsigc%2b+-2.12.1-1.tar',
  ],
  ['odd~rc1.tar.gz', 'odd%7Erc1.tar.gz', 'odd~rc1.tar.gz', 'odd%7erc1.tar.gz'],
  ['100%.tar.gz', '100%25.tar.gz', '1%300%25.tar.gz'],
  ['a(b).tar.gz', 'a(b).tar.gz', 'a%28b%29.tar.gz'],
  ['bang!.tar.gz', 'bang%21.tar.gz', 'bang!.tar.gz'],
  ['cash$1.tar.gz', 'cash$1.tar.gz', 'cash%241.tar.gz'],
  ["it's.tar.gz", "it's.tar.gz", 'it%27s.tar.gz'],
  ['this&that.tar.gz', 'this&that.tar.gz', 'this%26that.tar.gz'],
  ['key=value.tar.gz', 'key%3Dvalue.tar.gz', 'key=value.tar.gz'],
  ['a,b;c.tar.gz', 'a,b;c.tar.gz', 'a%2Cb%3Bc.tar.gz'],
  ['two words.tar.gz', 'two%20words.tar.gz', 'two%20word%73.tar.gz'],
  [' edges .tar.gz ', '%20edges%20.tar.gz%20'],
  ['npm-@scope,[x]{y}.tgz', 'npm-%40scope%2C%5Bx%5D%7By%7D.tgz', 'npm-@scope,[x]{y}.tgz'],
  ['epoch:1.0-1.pkg.tar.zst', 'epoch:1.0-1.pkg.tar.zst', 'epoch%3A1.0-1.pkg.tar.zst'],
  ['wh?t #1.tar.gz', 'wh%3Ft%20%231.tar.gz'],
  [
    'größe-żółw-🦀.tar.gz',
    'gr%C3%B6%C3%9Fe-%C5%BC%C3%B3%C5%82w-%F0%9F%A6%80.tar.gz',
    'gr%c3%b6%c3%9fe-%c5%bc%c3%b3%c5%82w-%f0%9f%a6%80.tar.gz',
  ],
  ['cafe\u0301.tar.gz', 'cafe%CC%81.tar.gz'],
  ['caf\u00e9.tar.gz', 'caf%C3%A9.tar.gz'],
  [
    'github.com%2F!burnt!sushi%2Ftoml%2F@v%2Fv0.3.1.mod',
    'github.com%252F%21burnt%21sushi%252Ftoml%252F%40v%252Fv0.3.1.mod',
    'github.com%252F!burnt!sushi%252Ftoml%252F@v%252Fv0.3.1.mod',
  ],
  ['%2e%2e', '%252e%252e'],
  ['%00', '%2500'],
  ['line\nfeed\ttab\r.tar.gz', 'line%0Afeed%09tab%0D.tar.gz'],
  ['\u001b[31mred\u007f.tar.gz', '%1B%5B31mred%7F.tar.gz'],
  ['"quoted" <b>|`^.tar.gz', '%22quoted%22%20%3Cb%3E%7C%60%5E.tar.gz', '"quoted"%20<b>|`^.tar.gz'],
  ['-rf *', '-rf%20*'],
  ['...', '...'],
  ['..a', '..a', '%2e%2Ea'],
  ['.hidden', '.hidden'],
  ['CON', 'CON'],
  ['con', 'con'],
  ['a'.repeat(255), 'a'.repeat(255), '%61'.repeat(255)],
  [`${'ä'.repeat(127)}b`, `${'%C3%A4'.repeat(127)}b`],
];

for (const [name, ...spellings] of names) {
  test(`${JSON.stringify(name).slice(0, 60)} is one file, whatever its spelling`, async (t) => {
    const { origin, daemon } = scene();
    const targets = spellings.map((spelling) => `/distfiles/8c/${spelling}`);
    const [first = ''] = targets;
    origin.serve(first, name);
    for (const target of [first, ...targets]) {
      const answer = await daemon.get(target);
      t.is(answer.status, 200, target);
      t.is(String(answer.body), name, target);
    }
    const asked = origin.requests.map(({ target }) => target);
    t.deepEqual(
      asked.filter((target) => targets.includes(target)),
      [first],
    );
    // In the log a name is one line, whatever is in it.
    await daemon.logged(new RegExp(` stored "distfiles/8c/${literally(printable(name))}" from `));
    t.is(await readFile(join(daemon.cacheDir, 'distfiles/8c', name), 'utf8'), name);
  });
}

test('names that differ in their bytes alone are different files', async (t) => {
  const { origin, daemon } = scene();
  for (const spelling of [
    'A.tgz',
    'a.tgz',
    'caf%C3%A9.tgz',
    'cafe%CC%81.tgz',
    'a+.tgz',
    'a%20.tgz',
  ]) {
    origin.serve(`/distfiles/9d/${spelling}`, spelling);
    t.is(String((await daemon.get(`/distfiles/9d/${spelling}`)).body), spelling);
  }
});

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
