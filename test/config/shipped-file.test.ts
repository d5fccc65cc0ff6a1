import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { parseConfFile } from '../../daemon/config/conf-file.ts';
import { findKey, keyNames } from '../../daemon/config/key-names.ts';
import { type Key, keys } from '../../daemon/config/keys.ts';

const path = fileURLToPath(new URL('../../etc/conf.d/package-cache', import.meta.url));
const text = readFileSync(path, 'utf8');

/** Each block of comment lines and the line it ends in, such as `#PORT="4000"`. */
const blocks = [...text.matchAll(/^((?:# .*\n)+)#([A-Za-z_]+)="(.*)"$/gm)].map(
  ([, comment = '', key = '', value = '']) => ({
    comment: comment.replace(/^# /gm, ''),
    key,
    value,
  }),
);

test('the shipped file sets nothing', (t) => {
  t.deepEqual(parseConfFile(text, path), []);
});

test('the shipped file lists every key once, in the order of the table', (t) => {
  const listed = blocks.flatMap(({ key }) => findKey(key)?.name ?? []);
  t.deepEqual(listed, [...keyNames]);
});

for (const name of keyNames) {
  const row: Key = keys[name];
  const block = blocks.find(({ key }) => findKey(key)?.name === name);

  test(`the shipped file says why ${name} is there, and its default`, (t) => {
    t.is(block?.value, row.example ?? row.default);
    const lines = block?.comment.trimEnd().split('\n') ?? [];
    t.is(lines[0], row.change === 'restart' ? `${row.why} [restart]` : row.why);
    t.is(lines.includes(`Default: ${row.default}`), row.example !== undefined);
  });
}

for (const line of text.match(/^#\w+=.*$/gm) ?? []) {
  test(`${line} can be uncommented`, (t) => {
    const [, key = '', value = ''] = /^#(\w+)="(.*)"$/.exec(line) ?? [];
    const parsed = parseConfFile(text.replace(line, line.slice(1)), path);
    if (key === key.toLowerCase()) return t.deepEqual(parsed, []);
    t.like(parsed, { length: 1, 0: { key, value } });
    t.notThrows(() => findKey(key)?.row.parse(value));
  });
}

test('the shell reads the shipped file without a word, all keys uncommented or none', (t) => {
  for (const content of [text, text.replace(/^#(?=\w+=)/gm, '')]) {
    const { status, stderr } = spawnSync('/bin/sh', ['-eu', '-c', content], { encoding: 'utf8' });
    t.is(stderr, '');
    t.is(status, 0);
  }
});

test('no line of the shipped file is wider than a terminal shows', (t) => {
  t.true(text.split('\n').every((line) => line.length <= 100));
});
