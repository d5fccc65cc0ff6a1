import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { connection } from '../helpers/client.ts';
import { startDaemon, tempDir } from '../helpers/daemon.ts';
import { startOrigin } from '../helpers/origin.ts';
import { share } from '../helpers/share.ts';

const secret = 'nobody is to see this';

/** What climbs, or would for somebody who decodes twice, folds letters or takes `\` for `/`. */
const climbs = [
  ...['..', '%2e%2e', '.%2e', '%2E.', '..%00', '.%00.', '%00..', '..;', '..;a=b', '..%20', '..%09'],
  ...[
    '%252e%252e',
    '%25252e%25252e',
    '%%32%65%%32%65',
    '%u002e%u002e',
    '%uff0e%uff0e',
    '....',
    '.../',
  ],
  ...['%c0%ae%c0%ae', '%c0%2e%c0%2e', '%e0%80%ae%e0%80%ae', '%f0%80%80%ae%f0%80%80%ae'],
  ...[
    '%EF%BC%8E%EF%BC%8E',
    '%E2%80%A4%E2%80%A4',
    '..%c0%af',
    '..%c1%9c',
    '..%ef%bc%8f',
    '..%e2%88%95',
  ],
  ...[
    '..%2f',
    '..%2F',
    '..%5c',
    '..\\',
    '..%252f',
    '..%255c',
    './..',
    './/..',
    '%2e/..',
    '..%0d%0a',
  ],
];

const targets = climbs.flatMap((climb) =>
  ['secret', 'conf/secret', 'cache/../secret', '.package-cache/id'].flatMap((file) => [
    `/${climb}/${file}`,
    `/${climb}${file}`,
    `/distfiles/${climb}/${climb}/${file}`,
    `//${climb}/${climb}/${climb}/${file}`,
    `/a.tar.gz/${climb}/${climb}/${file}`,
    `/linked/${climb}/${file}`,
  ]),
);

const scene = share(test, async (t) => {
  const outside = await tempDir(t);
  const cacheDir = join(outside, 'cache');
  await mkdir(join(cacheDir, 'distfiles'), { recursive: true });
  await mkdir(join(outside, 'conf'));
  for (const path of ['secret', 'conf/secret']) await writeFile(join(outside, path), secret);
  await symlink('../secret', join(cacheDir, 'link'));
  await symlink('..', join(cacheDir, 'distfiles/up'));
  const origin = await startOrigin(t);
  const daemon = await startDaemon(t, { sources: [origin.url], cacheDir });
  return { outside, cacheDir, origin, daemon };
});

test.serial('no spelling of a path is answered with a file that lies elsewhere', async (t) => {
  const { daemon } = scene();
  const client = connection({ port: daemon.port, t });
  const seen = new Set<number>();
  for (const target of [...targets, '/link', '/%6cink', '/linked/../link', '/etc/passwd']) {
    const { status, body } = await client.send({ target });
    seen.add(status);
    t.true(status === 400 || status === 404, `${status} for ${target}`);
    t.false(String(body).includes(secret), target);
  }
  t.deepEqual([...seen].toSorted(), [400, 404]);
});

test.serial('what a source is asked for climbs nowhere, however it reads its paths', async (t) => {
  const { origin } = scene();
  t.true(origin.count() > 0);
  for (const { target } of origin.requests) {
    t.is(new URL(target, 'http://mirror.example.org/').pathname, target);
    t.notRegex(target, /(?:^|\/)\.\.(?:\/|$)|\\|%2f|%5c|%00/i);
  }
});

test.serial('nothing was made, neither in the cache nor beside it', async (t) => {
  const { outside, cacheDir } = scene();
  t.deepEqual((await readdir(outside)).toSorted(), ['cache', 'conf', 'secret']);
  const own = ['.package-cache', 'distfiles', 'link'];
  t.deepEqual((await readdir(cacheDir)).toSorted(), own);
  t.deepEqual(await readdir(join(cacheDir, 'distfiles')), ['up']);
});
