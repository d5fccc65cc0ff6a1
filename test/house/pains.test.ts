import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { pains } from './pains.ts';

const root = dirname(dirname(import.meta.dirname));

/** Whether a call of `test` in this text has a title, or a template of titles, that begins so. */
function holdsTest(text: string, title: string): boolean {
  const escaped = title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '\\$\\{[^}]+\\}');
  return new RegExp(`^\\s*(?:test(?:\\.serial)?|asRoot)\\(\\s*['"\`]${escaped}`, 'm').test(text);
}

for (const [at, { pain, answer, tests }] of pains.entries()) {
  test(`pain ${at + 1}: ${pain}`, (t) => {
    const [file = ''] = /^daemon\/[\w/-]+\.ts\b/.exec(answer) ?? [];
    t.true(existsSync(join(root, file)) && file !== '', answer);
    t.not(Object.values(tests).flat().length, 0);
    for (const [name, titles] of Object.entries(tests)) {
      const text = readFileSync(join(root, name), 'utf8');
      for (const title of titles) t.true(holdsTest(text, title), `${name}: ${title}`);
    }
  });
}

test('there are thirty pains, and none is named twice', (t) => {
  t.is(new Set(pains.map(({ pain }) => pain)).size, 30);
  t.is(pains.length, 30);
});

test('a test is found by the beginning of its title, and what is none is not', (t) => {
  t.true(holdsTest("test('a title of some length', (t) => {", 'a title'));
  t.true(holdsTest('  test(\n    `a $' + '{kind} title`,', 'a … title'));
  t.true(holdsTest("test.serial('a title', run);", 'a title'));
  t.false(holdsTest("test('not a title', run);", 'a title'));
  t.false(holdsTest("// test('a title', run);", 'a title'));
  t.false(holdsTest("test.skip('a title', run);", 'a title'));
});
