import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test from 'ava';
import { parseSources } from '../../daemon/config/sources.ts';
import { root } from '../helpers/process.ts';

const tests = globSync('*.test.ts', { cwd: import.meta.dirname })
  .filter((file) => file !== basename(import.meta.filename))
  .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'));

for (const name of globSync('*', { cwd: join(root, 'contrib/clients') })) {
  test(`contrib/clients/${name} leads to the cache, and a client is tested with it`, (t) => {
    const text = readFileSync(join(root, 'contrib/clients', name), 'utf8');
    t.true(tests.some((source) => source.includes(`'${name}'`)));
    t.regex(text, /http:\/\/cache:4000/);
    t.true(text.split('\n').every((line) => line.length <= 100));
    // The configuration that it asks for is one that the daemon takes.
    const wanted = [...text.matchAll(/SOURCES\w*="(.*?)"/g)];
    t.true(wanted.length > 0);
    for (const [, sources = ''] of wanted) t.notThrows(() => parseSources(sources));
  });
}
